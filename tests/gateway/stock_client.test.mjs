// The stock socket.io-client against the gateway: every transport, every way to send a token, and the reaction of
// the client to a closed socket.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';

import { repository } from '../lib/process.mjs';
import { StockClient } from '../lib/sockets.mjs';
import { eventually } from '../lib/waiting.mjs';
import { Gateway, inSeconds } from './gateway.mjs';

const TRANSPORTS = {
  'the default transports': {},
  'polling only': { transports: ['polling'] },
  'websocket only': { transports: ['websocket'] },
};

let gateway;
before(async () => (gateway = await Gateway.start()));
after(async () => assert.equal(await gateway.stop(), 0));

const once = (socket, name) => new Promise((resolve) => socket.once(name, (...args) => resolve(args)));

for (const [name, transports] of Object.entries(TRANSPORTS)) {
  describe(name, () => {
    test('a client is authorized, subscribes, and receives events in the shape of its namespace', async () => {
      const token = gateway.token('alice');
      const root = await StockClient.authorized(gateway.url, token, transports);
      const dashboard = await StockClient.authorized(`${gateway.url}/dashboard`, token, transports);
      const [authorized] = root.of('connection.authorized');
      assert.equal(authorized.userId, 'alice');
      assert.equal(authorized.sessionId, root.socket.id);
      for (const client of [root, dashboard]) {
        assert.deepEqual(await client.ask('subscribe:drifts'), { success: true, data: { room: 'drifts' } });
      }
      await gateway.publish('drift:approved', { id: 'd1', status: 'approved' });
      assert.deepEqual(await root.event('drift:approved'), [{ id: 'd1', status: 'approved' }]);
      const [envelope] = await dashboard.event('drift:approved');
      assert.equal(envelope.type, 'drift:approved');
      assert.deepEqual(envelope.payload, { id: 'd1', status: 'approved' });
      root.close();
      dashboard.close();
    });

    test('a refusal gives the reason', async () => {
      for (const [auth, code] of [
        [{}, 'MISSING_TOKEN'],
        [{ token: gateway.token('alice', { exp: inSeconds(-60) }) }, 'TOKEN_EXPIRED'],
      ]) {
        const root = await StockClient.refusal(gateway.url, { auth, ...transports });
        assert.equal(root.data.code, code);
        const dashboard = await StockClient.refusal(`${gateway.url}/dashboard`, { auth, ...transports });
        assert.deepEqual([dashboard.data.code, dashboard.data.reason], ['AUTH_FAILED', code]);
      }
    });

    test('a token may come in the query or in a header', async () => {
      const token = gateway.token('alice');
      for (const options of [{ query: { token } }, { extraHeaders: { authorization: `bearer ${token}` } }]) {
        const client = await StockClient.authorized(gateway.url, undefined, { ...transports, auth: {}, ...options });
        assert.equal(client.of('connection.authorized')[0].userId, 'alice');
        client.close();
      }
    });

    test('both namespaces share one connection', async () => {
      const token = gateway.token('alice');
      const root = await StockClient.authorized(gateway.url, token, transports);
      const dashboard = new StockClient(gateway.url, { ...transports, autoConnect: false });
      dashboard.socket = root.socket.io.socket('/dashboard', { auth: { token } });
      dashboard.socket.onAny((type, body) => dashboard.heard.push({ type, body }));
      await dashboard.event('connection.authorized');
      await gateway.publish('dashboard:summaryUpdated', { open: 1 }, { userId: 'alice' });
      await dashboard.event('dashboard:summaryUpdated');
      assert.equal(root.of('dashboard:summaryUpdated').length, 0);
      root.close();
      dashboard.close();
    });

    test('a session that ends disconnects the client for good', async () => {
      const sid = crypto.randomUUID();
      const client = await StockClient.authorized(gateway.url, gateway.token('alice', { sid }), {
        ...transports,
        reconnection: true,
        reconnectionDelay: 10,
      });
      const gone = once(client.socket, 'disconnect');
      await gateway.publish('auth:session.deleted', { userId: 'alice', sessionId: sid, reason: 'logout' });
      assert.equal((await gone)[0], 'io server disconnect');
      assert.deepEqual(client.of('session.revoked'), [{ reason: 'logout' }]);
      await eventually('the transport to close', () => client.socket.io.engine?.readyState !== 'open');
      assert.equal(client.socket.active, false, 'it does not try again');
    });

    test('a token that expires closes the transport, and a fresh one brings the client back', async () => {
      let token = gateway.token('alice', { exp: inSeconds(2) });
      const client = new StockClient(gateway.url, {
        ...transports,
        reconnection: true,
        reconnectionDelay: 10,
        auth: (give) => give({ token }),
      });
      const [expiring] = await client.event('token.expiring');
      assert.ok(expiring.secondsRemaining <= 2);
      token = gateway.token('alice');
      const [reason] = await once(client.socket, 'disconnect');
      assert.match(reason, /transport (close|error)/);
      await client.event('connection.authorized', 2);
      client.close();
    });

    test('reauth in band keeps the socket open past the old token', async () => {
      const claims = gateway.claims('alice', { exp: inSeconds(2) });
      const client = await StockClient.authorized(gateway.url, gateway.sign(claims), transports);
      const exp = inSeconds(900);
      const answer = await client.ask('connection.reauth', { token: gateway.sign({ ...claims, exp }) });
      assert.equal(answer.success, true);
      assert.equal(Date.parse(answer.data.expiresAt), exp * 1000);
      for (const token of [gateway.token('bob'), gateway.token('alice'), 'nonsense', '']) {
        const refused = await client.ask('connection.reauth', { token });
        assert.equal(refused.success, false);
        assert.ok(refused.error.code);
      }
      await eventually('the old token to expire', () => Date.now() > claims.exp * 1000 + 500);
      assert.equal(client.socket.connected, true);
      client.close();
    });
  });
}

test('the default transports end on a websocket', async () => {
  const client = await StockClient.authorized(gateway.url, gateway.token('alice'));
  await eventually('the upgrade', () => client.socket.io.engine.transport.name === 'websocket');
  await client.ask('subscribe:drifts');
  client.close();
});

test('binary arguments arrive, and an unknown event is acknowledged as such', async () => {
  for (const transports of Object.values(TRANSPORTS)) {
    const client = await StockClient.authorized(gateway.url, gateway.token('alice'), transports);
    const answer = await client.ask('upload', Buffer.from([1, 2, 3]), { nested: new Uint8Array([4]) });
    assert.equal(answer.error.code, 'UNKNOWN_EVENT');
    client.close();
  }
});

test('events during the upgrade are neither lost nor delivered twice', async () => {
  for (let round = 0; round < 10; round += 1) {
    const client = await StockClient.authorized(gateway.url, gateway.token('carol'));
    const sent = [...Array(5).keys()].map((n) => `${round}.${n}`);
    for (const id of sent) await gateway.publish('ws:user:carol', { id }, { type: 'news' });
    const got = await client.event('news', sent.length);
    assert.deepEqual(got.map(({ id }) => id), sent);
    client.close();
  }
});

test('no token is in the log, whichever way it arrived', async () => {
  const signatures = [];
  const token = () => {
    const made = gateway.token('alice');
    signatures.push(made.split('.')[2]);
    return made;
  };
  for (const options of [
    { auth: { token: token() } },
    { auth: {}, query: { token: token() } },
    { auth: {}, extraHeaders: { authorization: `Bearer ${token()}` } },
  ]) {
    (await StockClient.authorized(gateway.url, undefined, options)).close();
  }
  for (const signature of signatures) assert.ok(!gateway.process.log.includes(signature));
});

test('the gateway serves the pinned client, as the old server did', async () => {
  const { version } = JSON.parse(await readFile(`${repository}/tests/node_modules/socket.io-client/package.json`));
  for (const name of ['socket.io.js', 'socket.io.min.js', 'socket.io.esm.min.js']) {
    const answer = await fetch(`${gateway.url}/socket.io/${name}`);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('content-type'), 'application/javascript; charset=utf-8');
    assert.equal(answer.headers.get('etag'), `"${version}"`);
    const pinned = await readFile(`${repository}/tests/node_modules/socket.io-client/dist/${name}`);
    assert.deepEqual(Buffer.from(await answer.arrayBuffer()), pinned);
    const again = await fetch(`${gateway.url}/socket.io/${name}`, { headers: { 'if-none-match': `"${version}"` } });
    assert.equal(again.status, 304);
  }
});
