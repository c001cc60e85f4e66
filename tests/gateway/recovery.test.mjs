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

/** Without automatic reconnection, a test decides what happens while the client is disconnected. */
const OPTIONS = { reconnection: false, transports: ['websocket'] };

const once = (client, name) => new Promise((resolve) => client.socket.once(name, resolve));

/** Breaks the connection without a close message from the client. */
async function disconnect(client) {
  const disconnected = once(client, 'disconnect');
  client.socket.io.engine.transport.ws._socket.destroy();
  await disconnected;
}

async function reconnect(client) {
  const connected = once(client, 'connect');
  client.socket.connect();
  await connected;
}

test('A: recovery does not readmit a user whose session ended', async () => {
  const sid = crypto.randomUUID();
  const token = gateway.token('alice', { sid });
  const client = await StockClient.authorized(gateway.url, token, OPTIONS);
  await disconnect(client);
  await gateway.publish('auth:session.deleted', { userId: 'alice', sessionId: sid, reason: 'logout' });
  const headers = { authorization: `Bearer ${token}` };
  const status = async () => (await fetch(`${gateway.url}/api/realtime/stats`, { headers })).status;
  await eventually('the gateway to hear it', async () => (await status()) === 401);
  const refused = once(client, 'connect_error');
  client.socket.connect();
  const error = await refused;
  assert.equal(error.data?.code, 'AUTH_FAILED');
  assert.equal(client.socket.recovered, false);
  client.close();
});

test('B: a drop before the first event loses nothing', async () => {
  const client = await StockClient.authorized(gateway.url, gateway.token('bob'), OPTIONS);
  await client.ask('subscribe:drifts');
  const id = client.socket.id;
  await disconnect(client);
  await gateway.append('drift:updated', { id: 'd1' });
  await reconnect(client);
  assert.equal(client.socket.recovered, true);
  assert.equal(client.socket.id, id);
  assert.deepEqual(await client.event('drift:updated'), [{ id: 'd1' }]);
  client.close();
});

test('C: a reconnect while the old socket is half-open is recovered and leaves one socket', async () => {
  const client = await StockClient.authorized(gateway.url, gateway.token('carol'), OPTIONS);
  const before = await gateway.metric('ws_connections ');
  const { engine } = client.socket.io;
  const { _socket: line } = engine.transport.ws;
  line.pause();
  // The client gives up the connection, and the gateway does not notice.
  line.destroy = () => line;
  engine.transport.ws.terminate = () => {};
  engine._onClose('ping timeout');
  await reconnect(client);
  assert.equal(client.socket.recovered, true);
  await eventually('one socket', async () => (await gateway.metric('ws_connections ')) === before);
  client.close();
});

test('rooms are restored, and live events follow', async () => {
  const client = await StockClient.authorized(gateway.url, gateway.token('dave'), OPTIONS);
  await client.ask('subscribe:drifts');
  await disconnect(client);
  await reconnect(client);
  assert.equal(client.socket.recovered, true);
  await gateway.publish('drift:updated', { id: 'd1' });
  await client.event('drift:updated');
  client.close();
});
