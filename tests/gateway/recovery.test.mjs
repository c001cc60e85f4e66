// Connection state recovery with the stock client. The tests cover the cases in which the reference implementation
// loses events, readmits a client, or keeps a dead socket.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { StockClient } from '../lib/sockets.mjs';
import { eventually } from '../lib/waiting.mjs';
import { Gateway } from './gateway.mjs';

let gateway;
before(async () => (gateway = await Gateway.start()));
after(async () => gateway.stop());

const RECONNECTING = { reconnection: true, reconnectionDelay: 10, transports: ['websocket'] };

/** Breaks the connection without a close message from the client. */
const breakLine = (client) => client.socket.io.engine.transport.ws._socket.destroy();

const connected = (client) => new Promise((resolve) => client.socket.once('connect', resolve));

test('A: recovery does not readmit a user whose session ended', async () => {
  const sid = crypto.randomUUID();
  const client = await StockClient.authorized(gateway.url, gateway.token('alice', { sid }), RECONNECTING);
  const refused = new Promise((resolve) => client.socket.once('connect_error', resolve));
  client.socket.io.engine.once('close', () => {});
  client.socket.io.reconnectionDelay(500);
  breakLine(client);
  await gateway.publish('auth:session.deleted', { userId: 'alice', sessionId: sid, reason: 'logout' });
  const error = await refused;
  assert.equal(error.data?.code, 'AUTH_FAILED');
  assert.equal(client.socket.recovered, false);
  client.close();
});

test('B: a drop before the first event loses nothing', async () => {
  const client = await StockClient.authorized(gateway.url, gateway.token('bob'), RECONNECTING);
  const id = client.socket.id;
  const back = connected(client);
  breakLine(client);
  await back;
  assert.equal(client.socket.recovered, true);
  assert.equal(client.socket.id, id);
  client.close();
});

test('C: a reconnect while the old socket is half-open is recovered and leaves one socket', async () => {
  const client = await StockClient.authorized(gateway.url, gateway.token('carol'), RECONNECTING);
  const before = await gateway.metric('ws_connections ');
  const { engine } = client.socket.io;
  const { _socket: line } = engine.transport.ws;
  line.pause();
  const back = connected(client);
  // The client gives up the connection, and the gateway does not notice.
  line.destroy = () => line;
  engine.transport.ws.terminate = () => {};
  engine._onClose('ping timeout');
  await back;
  assert.equal(client.socket.recovered, true);
  await eventually('one socket', async () => (await gateway.metric('ws_connections ')) === before);
  client.close();
});

test('rooms are restored, and live events follow', async () => {
  const client = await StockClient.authorized(gateway.url, gateway.token('dave'), RECONNECTING);
  await client.ask('subscribe:drifts');
  const back = connected(client);
  breakLine(client);
  await back;
  assert.equal(client.socket.recovered, true);
  await gateway.publish('drift:updated', { id: 'd1' });
  await client.event('drift:updated');
  client.close();
});
