// Separate services without a configured key: auth-service creates keys and replaces them every few seconds, under load.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';

import { succeeded } from '../lib/api.mjs';
import { split } from '../lib/deployments.mjs';
import { binary } from '../lib/process.mjs';
import { PlainClient, StockClient } from '../lib/sockets.mjs';
import { eventually } from '../lib/waiting.mjs';

const KEYS = 4;
const CALLERS = 4;
const SETTINGS = {
  JWT_ACCESS_SECRET: '',
  JWT_KEY_ROTATION: '4s',
  SESSION_SWEEP_INTERVAL: '200ms',
  LOGINS_PER_IP: '100000',
  LOGINS_PER_ACCOUNT: '100000',
  MAX_SESSIONS_PER_USER: '1000',
  REFRESHES_PER_USER: '100000',
  GATEWAY_SOCKETS_PER_USER: '5000',
};

const keyOf = (token) => JSON.parse(Buffer.from(token.split('.')[0], 'base64url')).kid;

describe('signing keys that auth-service creates', () => {
  let app;

  before(async () => {
    app = await split(SETTINGS);
  });
  after(() => app?.stop());

  test('no request fails while keys follow each other, on any service or socket s07', async () => {
    const seen = new Set();
    const statuses = new Map();
    const noted = (where, { status }) => statuses.set(`${where} ${status}`, (statuses.get(`${where} ${status}`) ?? 0) + 1);

    async function call(number) {
      while (seen.size < KEYS) {
        const caller = await app.api.login('engineer');
        seen.add(keyOf(caller.token));
        noted('me', await caller.get('/api/auth/me'));
        noted('drifts', await caller.get('/api/v1/drifts'));
        const socket = await StockClient.authorized(app.socketOrigins[number % 2], caller.token, { transports: ['websocket'] });
        socket.close();
        const again = succeeded(await app.api.post('/api/auth/refresh', { refreshToken: caller.session.refreshToken }));
        seen.add(keyOf(again.data.accessToken));
        noted('me', await caller.withToken(again.data.accessToken).get('/api/auth/me'));
      }
    }
    await Promise.all(Array.from({ length: CALLERS }, (_, number) => call(number)));
    assert.deepEqual([...statuses.keys()].sort(), ['drifts 200', 'me 200'], JSON.stringify([...statuses]));
  });

  test('the JWKS has the public keys, in use and next s07', async () => {
    const { token } = await app.api.login('viewer');
    const jwks = JSON.parse((await app.api.get('/api/auth/.well-known/jwks.json')).text);
    assert(jwks.keys.some(({ kid }) => kid === keyOf(token)));
    for (const key of jwks.keys) assert.deepEqual([key.kty, key.crv, key.alg, 'd' in key], ['OKP', 'Ed25519', 'EdDSA', false]);
  });

  test('after rotate-keys --withdraw, every service refuses the old tokens, and sockets close s07', async () => {
    const caller = await app.api.login('engineer');
    const [stock, plain] = await Promise.all([
      StockClient.authorized(app.socketOrigins[0], caller.token),
      PlainClient.authorized(app.socketOrigins[1], caller.token),
    ]);
    let closeCode;
    plain.socket.once('close', (code) => (closeCode = code));
    await promisify(execFile)(binary('auth-service'), ['rotate-keys', '--withdraw'], { env: app.processes[0].env });
    await eventually('auth-service refuses', async () => (await caller.get('/api/auth/me')).status === 401);
    await eventually('drift-service refuses', async () => (await caller.post('/api/v1/drifts')).status === 401);
    await eventually('both sockets close', () => closeCode && !stock.socket.connected);
    assert.equal(closeCode, 4401);
    for (const origin of app.socketOrigins) {
      const { data } = await StockClient.refusal(origin, { auth: { token: caller.token } });
      assert.equal(data.code, 'INVALID_TOKEN');
    }
    const again = succeeded(await app.api.post('/api/auth/refresh', { refreshToken: caller.session.refreshToken }));
    assert.equal((await caller.withToken(again.data.accessToken).get('/api/auth/me')).status, 200);
    assert.equal((await caller.withToken(again.data.accessToken).get('/api/v1/drifts')).status, 200);
  });
});
