// The nineteen authentication cases of the old stack, with a stock client, without and with the old contract.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { StockClient } from '../lib/sockets.mjs';
import { BEHIND_PROXY, Gateway, fromElsewhere, inSeconds } from './gateway.mjs';

const OLD_WORDS = { missing: 'Authentication failed: missing token', invalid: 'Authentication failed: invalid token' };

for (const COMPAT_ROUTES of ['false', 'true']) {
  describe(`a stock client, COMPAT_ROUTES=${COMPAT_ROUTES}`, () => {
    let gateway;
    before(async () => (gateway = await Gateway.start({ ...BEHIND_PROXY, COMPAT_ROUTES })));
    after(() => gateway?.stop());

    /** Returns the `connection.authorized` of a client that connects with these options. */
    async function authorized(options) {
      const client = await StockClient.authorized(gateway.url, undefined, { auth: {}, ...options });
      client.close();
      return client.of('connection.authorized')[0];
    }

    async function refusal(auth) {
      const { data } = await StockClient.refusal(gateway.url, { auth, extraHeaders: fromElsewhere() });
      return data;
    }

    const header = (scheme, token) => ({ extraHeaders: { authorization: `${scheme} ${token}` } });

    describe('a token is accepted', () => {
      test('1 from the query', async () => {
        assert.equal((await authorized({ query: { token: gateway.token('alice') } })).userId, 'alice');
      });

      test('2 from the auth object', async () => {
        assert.equal((await authorized({ auth: { token: gateway.token('alice') } })).userId, 'alice');
      });

      test('3 from the Authorization header', async () => {
        assert.equal((await authorized(header('Bearer', gateway.token('alice')))).userId, 'alice');
      });

      test('4 from a header with a lower-case bearer', async () => {
        assert.equal((await authorized(header('bearer', gateway.token('alice')))).userId, 'alice');
      });

      test('5 from the query before the header', async () => {
        const options = { query: { token: gateway.token('alice') }, ...header('Bearer', gateway.token('bob')) };
        assert.equal((await authorized(options)).userId, 'alice');
      });

      test('6 and the socket sends messages', async () => {
        const client = await StockClient.authorized(gateway.url, gateway.token('alice'));
        assert.equal((await client.ask('subscribe:drifts')).success, true);
        await gateway.publish('drift:updated', { id: 'd1' });
        assert.deepEqual(await client.event('drift:updated'), [{ id: 'd1' }]);
        client.close();
      });
    });

    describe('a token is refused', () => {
      test('7 that has just expired', async () => {
        const exp = inSeconds(-12);
        const { code, expiredAt } = await refusal({ token: gateway.token('alice', { exp }) });
        assert.deepEqual([code, Date.parse(expiredAt)], ['TOKEN_EXPIRED', exp * 1000]);
      });

      test('8 that expired long ago', async () => {
        assert.equal((await refusal({ token: gateway.token('alice', { exp: 1 }) })).code, 'TOKEN_EXPIRED');
      });

      test('9 that is missing', async () => {
        assert.equal((await refusal({})).code, 'MISSING_TOKEN');
      });

      test('10 whose signature was made with another secret', async () => {
        const token = gateway.sign(gateway.claims('alice'), 'the secret of another system, of thirty-two bytes or more');
        assert.equal((await refusal({ token })).code, 'INVALID_TOKEN');
      });

      test('11 that is malformed', async () => {
        assert.equal((await refusal({ token: 'not.a.token' })).code, 'INVALID_TOKEN');
      });

      test('12 that names no user', async () => {
        assert.equal((await refusal({ token: gateway.token('alice', { userId: undefined }) })).code, 'INVALID_TOKEN');
      });
    });

    describe('a new token on an open socket', () => {
      async function reauth(changes, secret) {
        const claims = gateway.claims('alice');
        const client = await StockClient.authorized(gateway.url, gateway.sign(claims), { extraHeaders: fromElsewhere() });
        const answer = await client.ask('connection.reauth', { token: gateway.sign({ ...claims, ...changes }, secret) });
        assert.equal(client.socket.connected, true);
        client.close();
        return answer;
      }

      test('13 is accepted if it is fresh', async () => {
        const exp = inSeconds(1800);
        const { success, data } = await reauth({ exp });
        assert.deepEqual([success, Date.parse(data.expiresAt)], [true, exp * 1000]);
      });

      test('14 is refused if it has expired', async () => {
        const { success, error } = await reauth({ exp: inSeconds(-60) });
        assert.deepEqual([success, error.code], [false, 'TOKEN_EXPIRED']);
      });

      test('15 is refused if it is badly signed', async () => {
        const { success, error } = await reauth({}, 'the secret of another system, of thirty-two bytes or more');
        assert.deepEqual([success, error.code], [false, 'INVALID_TOKEN']);
      });
    });

    describe('users', () => {
      test('16 one user may have several sockets', async () => {
        const token = gateway.token('alice');
        const clients = [];
        for (let n = 0; n < 3; n += 1) clients.push(await StockClient.authorized(gateway.url, token));
        await gateway.publish('ws:user:alice', { hello: 'alice' }, { type: 'news' });
        for (const client of clients) assert.deepEqual(await client.event('news'), [{ hello: 'alice' }]);
        for (const client of clients) client.close();
      });

      test('17 whose session ids differ', async () => {
        const ids = new Set();
        for (let n = 0; n < 3; n += 1) ids.add((await authorized({ auth: { token: gateway.token('alice') } })).sessionId);
        assert.equal(ids.size, 3);
      });

      test('18 two users receive nothing of each other', async () => {
        const alice = await StockClient.authorized(gateway.url, gateway.token('alice'));
        const bob = await StockClient.authorized(gateway.url, gateway.token('bob'));
        await gateway.publish('ws:user:alice', {}, { type: 'news' });
        await gateway.publish('ws:user:bob', {}, { type: 'end' });
        await bob.event('end');
        assert.deepEqual(bob.of('news'), []);
        assert.deepEqual((await alice.event('news')).length, 1);
        assert.deepEqual(alice.of('end'), []);
        alice.close();
        bob.close();
      });

      test('19 failed attempts are counted, and five shut out further guesses', async () => {
        const counted = () => gateway.metric('ws_auth_failures_total{reason="INVALID_TOKEN"} ');
        const before = await counted();
        const extraHeaders = fromElsewhere();
        const attempt = async (token) => (await StockClient.refusal(gateway.url, { auth: { token }, extraHeaders })).data.code;
        for (let n = 0; n < 5; n += 1) assert.equal(await attempt('nonsense'), 'INVALID_TOKEN');
        assert.equal(await counted(), before + 5);
        assert.equal(await attempt('nonsense'), 'RATE_LIMITED');
      });
    });

    test('a refusal has the words of the old stack only with COMPAT_ROUTES=true', async () => {
      const words = async (namespace, token) =>
        (await StockClient.refusal(gateway.url + namespace, { auth: { token }, extraHeaders: fromElsewhere() })).message;
      for (const namespace of ['/', '/dashboard']) {
        const refused = [
          [undefined, OLD_WORDS.missing],
          ['not.a.token', OLD_WORDS.invalid],
          [gateway.token('alice', { exp: 1 }), OLD_WORDS.invalid],
        ];
        for (const [token, old] of refused) {
          assert.equal((await words(namespace, token)) === old, COMPAT_ROUTES === 'true', `${namespace} ${old}`);
        }
      }
    });
  });
}
