import { once } from 'node:events';
import { io } from 'socket.io-client';
import WebSocket from 'ws';

import { eventually } from './waiting.mjs';

/** The events that a client has received, as `{type, body}`, the oldest first. */
class Listener {
  heard = [];

  /** Returns all events of one type. */
  of(type) {
    return this.heard.filter((event) => event.type === type).map((event) => event.body);
  }

  /** Waits for the `count`-th event of a type and returns all of that type. */
  event(type, count = 1) {
    const what = () => `${count} × ${type} (heard: ${JSON.stringify(this.#counts())})`;
    return eventually(what, () => this.of(type).length >= count && this.of(type));
  }

  #counts() {
    const counts = {};
    for (const { type } of this.heard) counts[type] = (counts[type] ?? 0) + 1;
    return counts;
  }
}

/** The stock socket.io-client. */
export class StockClient extends Listener {
  constructor(url, options = {}) {
    super();
    this.socket = io(url, { forceNew: true, reconnection: false, ...options });
    // A second argument is the offset for connection state recovery.
    this.socket.onAny((type, body) => this.heard.push({ type, body }));
  }

  /** Connects and waits for `connection.authorized`. */
  static async authorized(url, token, options = {}) {
    const client = new StockClient(url, { auth: { token }, ...options });
    client.socket.once('connect_error', (error) => (client.refused = error));
    const authorized = eventually(`connection.authorized from ${url}`, () => {
      if (client.refused) throw client.refused;
      return client.of('connection.authorized').length > 0;
    });
    // A client that reconnects would never stop.
    await authorized.catch((error) => {
      client.close();
      throw error;
    });
    return client;
  }

  /** Connects and returns the error with which it was refused. */
  static async refusal(url, options = {}) {
    const client = new StockClient(url, options);
    try {
      return await new Promise((resolve, reject) => {
        client.socket.once('connect_error', resolve);
        client.socket.once('connect', () => reject(new Error('was let in')));
      });
    } finally {
      client.close();
    }
  }

  /** Emits and waits for the acknowledgement. */
  ask(type, ...body) {
    return this.socket.timeout(10_000).emitWithAck(type, ...body);
  }

  close() {
    this.socket.close();
  }
}

/** A client of `/ws`. */
export class PlainClient extends Listener {
  #ids = 0;

  static async authorized(url, token) {
    const client = new PlainClient();
    client.socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, ['driftsentry.v1', `bearer.${token}`]);
    client.socket.on('message', (text) => {
      const body = JSON.parse(text);
      client.heard.push({ type: body.type, body });
    });
    await once(client.socket, 'open');
    await client.event('connection.authorized');
    return client;
  }

  /** Sends a message and waits for its acknowledgement. */
  ask(message) {
    const id = String(++this.#ids);
    this.socket.send(JSON.stringify({ ...message, id }));
    return eventually(`ack ${id}`, () => this.of('ack').find((ack) => ack.id === id));
  }

  close() {
    this.socket.terminate();
  }
}

/**
 * Connects three clients to each gateway: a stock client in `/`, one in `/dashboard`, and one on `/ws`, all with all
 * subscriptions. `payload` extracts the payload from the data of each client. Each gateway gets a different user,
 * because the limit on messages per user counts across all gateways.
 */
export async function audience(gateways, callers) {
  const bare = (body) => body;
  const enveloped = (body) => body.payload;
  const listeners = gateways.map(async (url, index) => {
    const { token } = callers[index];
    const root = await StockClient.authorized(url, token);
    const dashboard = await StockClient.authorized(`${url}/dashboard`, token);
    const plain = await PlainClient.authorized(url, token);
    for (const room of ['drifts', 'alerts']) {
      await root.ask(`subscribe:${room}`);
      await dashboard.ask(`subscribe:${room}`);
      await plain.ask({ type: 'subscribe', room });
    }
    return [
      { client: root, payload: bare },
      { client: dashboard, payload: enveloped },
      { client: plain, payload: enveloped },
    ];
  });
  return (await Promise.all(listeners)).flat();
}
