// python-socketio against the gateway: a client that was written independently of the stock client.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { Process, repository } from '../lib/process.mjs';
import { eventually } from '../lib/waiting.mjs';
import { Gateway, inSeconds } from './gateway.mjs';

const TRANSPORTS = {
  'the default transports': {},
  'polling only': { transports: ['polling'] },
  'websocket only': { transports: ['websocket'] },
};

class PythonClient {
  #process = new Process(`${repository}/tests/.venv/bin/python`, [`${repository}/tests/gateway/python_client.py`]);
  #namespace;
  #seen = new Set();

  constructor(namespace = '/') {
    this.#namespace = namespace;
  }

  /** Returns the first line with a field that was not returned before. */
  next(field, fits = () => true) {
    return this.#process.until(field, () => {
      // Other lines were logged by the library.
      const lines = this.#process.log.split('\n').slice(0, -1).filter((line) => line.startsWith('{'));
      const said = lines.map((line) => JSON.parse(line));
      const index = said.findIndex((line, at) => !this.#seen.has(at) && field in line && fits(line[field]));
      this.#seen.add(index);
      return said[index];
    });
  }

  async event(name) {
    return (await this.next('event', (event) => event === name)).args;
  }

  #say(command) {
    this.#process.say(JSON.stringify({ namespace: this.#namespace, ...command }));
  }

  connect(url, options) {
    this.#say({ do: 'connect', url, options });
  }

  async ask(event, data = null) {
    this.#say({ do: 'ask', event, data });
    return (await this.next('answer')).answer;
  }

  async upload() {
    this.#say({ do: 'upload' });
    return (await this.next('answer')).answer;
  }

  look() {
    this.#say({ do: 'look' });
    return this.next('sid');
  }

  /** Waits until the client has given up. */
  wait() {
    this.#say({ do: 'wait' });
    return this.next('over');
  }

  stop() {
    return this.#process.stop();
  }
}

let gateway;
before(async () => (gateway = await Gateway.start()));
after(async () => assert.equal(await gateway.stop(), 0));

async function authorized(options, namespace = '/', url = gateway.url) {
  const client = new PythonClient(namespace);
  client.connect(url, options);
  const [body] = await client.event('connection.authorized');
  return { client, body };
}

for (const [name, transports] of Object.entries(TRANSPORTS)) {
  describe(`python-socketio with ${name}`, () => {
    test('a client is authorized, subscribes, and receives events in the shape of its namespace', async () => {
      for (const namespace of ['/', '/dashboard']) {
        const { client, body } = await authorized({ ...transports, auth: { token: gateway.token('alice') } }, namespace);
        assert.equal(body.userId, 'alice');
        assert.equal(body.sessionId, (await client.look()).sid);
        const answer = await client.ask('subscribe:drifts');
        assert.deepEqual(answer, { success: true, data: { room: 'drifts' } });
        await gateway.publish('drift:approved', { id: 'd1' });
        const [event] = await client.event('drift:approved');
        assert.deepEqual(namespace === '/' ? event : event.payload, { id: 'd1' });
        await client.stop();
      }
    });

    test('a token may come in the query or in a header', async () => {
      const token = gateway.token('alice');
      const byQuery = await authorized(transports, '/', `${gateway.url}?token=${token}`);
      const byHeader = await authorized({ ...transports, headers: { Authorization: `bearer ${token}` } });
      for (const { client, body } of [byQuery, byHeader]) {
        assert.equal(body.userId, 'alice');
        await client.stop();
      }
    });

    test('a refusal gives the reason', async () => {
      for (const [auth, code] of [
        [{}, 'MISSING_TOKEN'],
        [{ token: gateway.token('alice', { exp: inSeconds(-60) }) }, 'TOKEN_EXPIRED'],
      ]) {
        for (const [namespace, expected] of [
          ['/', { code }],
          ['/dashboard', { code: 'AUTH_FAILED', reason: code }],
        ]) {
          const client = new PythonClient(namespace);
          client.connect(gateway.url, { ...transports, auth });
          const { refused } = await client.next('refused');
          const { message, expiredAt, ...rest } = refused.data;
          assert.deepEqual(rest, expected);
          assert.equal(message, refused.message);
          assert.equal(Boolean(expiredAt), code === 'TOKEN_EXPIRED');
          await client.stop();
        }
      }
    });

    test('a fresh token is accepted on the open socket, and a token of another user is not', async () => {
      const claims = gateway.claims('alice');
      const { client } = await authorized({ ...transports, auth: { token: gateway.sign(claims) } });
      const exp = inSeconds(1800);
      const fresh = await client.ask('connection.reauth', { token: gateway.sign({ ...claims, exp }) });
      assert.equal(fresh.success, true);
      assert.equal(Date.parse(fresh.data.expiresAt), exp * 1000);
      const refused = await client.ask('connection.reauth', { token: gateway.token('bob') });
      assert.deepEqual([refused.success, refused.error.code], [false, 'AUTH_FAILED']);
      await client.stop();
    });

    test('binary arguments arrive, and an unknown event is acknowledged as such', async () => {
      const { client } = await authorized({ ...transports, auth: { token: gateway.token('alice') } });
      const answer = await client.upload();
      assert.deepEqual([answer.success, answer.error.code], [false, 'UNKNOWN_EVENT']);
      await client.stop();
    });

    test('a session that ends disconnects the client for good', async () => {
      const sid = crypto.randomUUID();
      const { client } = await authorized({ ...transports, auth: { token: gateway.token('alice', { sid }) } });
      await gateway.publish('auth:session.deleted', { userId: 'alice', sessionId: sid, reason: 'logout' });
      assert.deepEqual(await client.event('session.revoked'), [{ reason: 'logout' }]);
      assert.equal((await client.next('disconnected')).disconnected, 'server disconnect');
      await client.wait();
      await client.stop();
    });
  });
}

test('python-socketio moves from polling to a websocket', async () => {
  const { client } = await authorized({ auth: { token: gateway.token('alice') } });
  await eventually('the upgrade', async () => (await client.look()).transport === 'websocket');
  assert.equal((await client.ask('subscribe:alerts')).success, true);
  await client.stop();
});
