// Stock Socket.IO clients with default settings, through Caddy, on two gateways.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';

import { Api, succeeded } from '../lib/api.mjs';
import { StockClient } from '../lib/sockets.mjs';
import { eventually } from '../lib/waiting.mjs';
import { behindCaddy } from './behind_caddy.mjs';

const CLIENTS = 500;
/** On a busy machine, this process cannot connect more clients within the time of a handshake. */
const BATCH = 100;
const RECONNECTING = { reconnection: true, reconnectionDelay: 50, reconnectionDelayMax: 500 };

describe('stock clients through Caddy', () => {
  let app, engineer, serial, open;

  beforeEach(async () => {
    [serial, open] = [0, []];
    app = await behindCaddy({ GATEWAY_SOCKETS_PER_USER: '5000', GATEWAY_MESSAGES_PER_SECOND: '1000' });
    engineer = await app.api.login('engineer');
  });
  afterEach(async () => {
    for (const { value } of await Promise.allSettled(open)) value?.close();
    await app?.stop();
  });

  /** Clients with the defaults of socket.io-client: long polling first, then the upgrade. */
  async function connect(count, options = {}) {
    const clients = [];
    while (clients.length < count) {
      const connecting = Array.from({ length: Math.min(BATCH, count - clients.length) }, () =>
        StockClient.authorized(app.url, engineer.token, { ...RECONNECTING, ...options }),
      );
      open.push(...connecting);
      const batch = await Promise.all(connecting);
      await Promise.all(batch.map((client) => client.ask('subscribe:drifts')));
      clients.push(...batch);
    }
    return clients;
  }

  /** Creates a new drift and returns its id. */
  async function newDrift(caller = engineer) {
    const body = { stack: 'system', resourceId: `i-${++serial}`, resourceType: 'aws_instance', region: 'eu-central-1', severity: 'warning' };
    return succeeded(await caller.post('/api/v1/drifts', body)).data.id;
  }

  const heard = (client, id) => client.of('drift:created').filter((drift) => drift.id === id).length;
  const everyone = (what, clients, condition) =>
    eventually(
      () => `all ${what}; ${clients.filter((client) => !condition(client)).length} do not`,
      () => clients.every(condition),
      30_000,
    );
  const refusedRequests = () => app.caddy.log.match(/"uri":"\/socket\.io\/".*"status":400/g)?.length ?? 0;
  const sockets = () => Promise.all(app.gateways.map((gateway) => app.metric(gateway, 'ws_connections')));

  test(`${CLIENTS} clients on default transports: both gateways serve, and no session is unknown`, async () => {
    const clients = await connect(CLIENTS);
    await everyone('upgraded', clients, ({ socket }) => socket.io.engine.transport.name === 'websocket');
    assert.equal(refusedRequests(), 0, 'Session ID unknown');
    for (const count of await sockets()) assert.ok(count > CLIENTS / 10, `${count} sockets on a gateway`);
    const id = await newDrift();
    await everyone('hear the drift', clients, (client) => heard(client, id) > 0);
    assert.ok(clients.every((client) => heard(client, id) === 1));
  });

  test('clients that can only poll stay on their gateway, without cookies', async () => {
    const clients = await connect(40, { transports: ['polling'] });
    for (let i = 0; i < 5; i++) {
      const id = await newDrift();
      await everyone('hear the drift', clients, (client) => heard(client, id) === 1);
    }
    assert.ok(clients.every(({ socket }) => socket.connected));
    assert.equal(refusedRequests(), 0, 'Session ID unknown');
  });

  test('a stopping gateway notifies its sockets, exits with 0, and no client misses an event', async () => {
    const clients = [...(await connect(40)), ...(await connect(20, { transports: ['polling'] }))];
    const [stopping] = app.gateways;
    const ended = stopping.stop(20_000);
    const ids = [];
    for (let i = 0; i < 10; i++) ids.push(await newDrift());
    assert.equal(await ended, 0, 'exit code');
    await everyone('are back', clients, ({ socket }) => socket.connected);
    const last = await newDrift();
    await everyone('hear what comes', clients, (client) => heard(client, last) > 0);
    for (const id of ids) await everyone('hear what came meanwhile', clients, (client) => heard(client, id) > 0);
  });

  test('a stopping gateway closes its part of 2,000 sockets one after another, and none is lost', async () => {
    const clients = await connect(2_000, { transports: ['websocket'] });
    const leaving = await app.metric(app.gateways[0], 'ws_connections');
    assert.ok(leaving > 500, `${leaving} sockets on the gateway that stops`);
    const closed = [];
    for (const { socket } of clients) socket.once('disconnect', () => closed.push(Date.now()));
    const ended = app.gateways[0].stop(60_000);
    const ids = [];
    do {
      ids.push(await newDrift());
    } while (closed.length < leaving);
    assert.equal(await ended, 0, 'exit code');
    assert.equal(closed.length, leaving, 'the other gateway lost none');
    // 500 per second.
    assert.ok(closed.at(-1) - closed[0] > leaving * 1.5, `all within ${closed.at(-1) - closed[0]} ms`);
    await everyone('are back', clients, ({ socket }) => socket.connected);
    ids.push(await newDrift());
    const of = (client) => client.of('drift:created').map(({ id }) => id);
    await everyone('hear all', clients, (client) => of(client).length >= ids.length);
    for (const client of clients) assert.deepEqual(of(client), ids, 'in order, once each');
  });

  test('if a gateway dies, its clients reconnect, recover, and miss nothing', async () => {
    const clients = [...(await connect(40)), ...(await connect(20, { transports: ['polling'] }))];
    const ids = [await newDrift()];
    await everyone('hear the drift', clients, (client) => client.of('drift:created').length === 1);
    app.gateways[0].kill('SIGKILL');
    for (let i = 0; i < 10; i++) ids.push(await newDrift());
    await everyone('are back', clients, ({ socket }) => socket.connected);
    ids.push(await newDrift());
    await everyone('hear all', clients, (client) => client.of('drift:created').length >= ids.length);
    for (const client of clients) {
      assert.deepEqual(client.of('drift:created').map(({ id }) => id), ids, 'in order, once each');
    }
  });

  test('caddy reload closes no open socket', async () => {
    const clients = await connect(CLIENTS);
    await everyone('upgraded', clients, ({ socket }) => socket.io.engine.transport.name === 'websocket');
    let dropped = 0;
    for (const { socket } of clients) socket.on('disconnect', () => dropped++);
    app.caddy.reload();
    // Bypasses Caddy: the reload closes idle connections, which fetch would try to use again.
    const id = await newDrift(new Api({ drift: app.drift.url }, engineer.token));
    await everyone('hear the drift', clients, (client) => heard(client, id) === 1);
    assert.equal(dropped, 0);
  });
});
