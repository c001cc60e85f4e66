// Forged claims and secrets of clients, at the edge of the whole deployment.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { after, before, describe, test } from 'node:test';

import { succeeded } from '../lib/api.mjs';
import { PlainClient, StockClient } from '../lib/sockets.mjs';
import { eventually } from '../lib/waiting.mjs';
import { behindCaddy } from './behind_caddy.mjs';

/** Sends a request from any address in 127.0.0.0/8. */
async function call(url, { from, method = 'POST', body, headers = {} }) {
  const options = { method, localAddress: from, headers: { 'content-type': 'application/json', ...headers } };
  const sent = request(url, options).end(body && JSON.stringify(body));
  const [answer] = await once(sent, 'response');
  let text = '';
  for await (const chunk of answer) text += chunk;
  return { status: answer.statusCode, ...JSON.parse(text) };
}

describe('the edge', () => {
  let app;

  before(async () => {
    app = await behindCaddy({ LOGIN_FAILURES_PER_IP: '5' });
  });
  after(() => app?.stop());

  const forged = (i) => ({
    'x-forwarded-for': `203.0.113.${i}`,
    'x-real-ip': `203.0.113.${i}`,
    forwarded: `for=203.0.113.${i}`,
  });

  test('a session shows the address of the connection, through Caddy and around it s43', async () => {
    const body = { email: 'viewer@driftsentry.local', password: 'viewer123' };
    for (const [origin, from] of [
      [app.url, '127.0.0.5'],
      [app.auth.url, '127.0.0.6'],
    ]) {
      const { data } = await call(`${origin}/api/auth/login`, { from, body, headers: forged(1) });
      const headers = { authorization: `Bearer ${data.accessToken}` };
      const session = await call(`${origin}/api/auth/session`, { from, method: 'GET', headers });
      assert.equal(session.data.ipAddress, from);
    }
  });

  test('forged addresses do not get around limits, and clients behind Caddy are counted one by one s43', async () => {
    const body = { email: 'nobody@driftsentry.local', password: 'wrong-password' };
    for (const [origin, from, other] of [
      [app.url, '127.0.0.7', '127.0.0.8'],
      [app.auth.url, '127.0.0.9', '127.0.0.10'],
    ]) {
      const statuses = [];
      for (let i = 0; i < 7; i++) {
        statuses.push((await call(`${origin}/api/auth/login`, { from, body, headers: forged(i) })).status);
      }
      assert.deepEqual(statuses, [401, 401, 401, 401, 401, 429, 429], origin);
      assert.equal((await call(`${origin}/api/auth/login`, { from: other, body })).status, 401);
    }
  });

  test('no token, cookie or password is in any log of Caddy, the services or Redis s13 s52', async () => {
    const engineer = await app.api.login('engineer');
    const { accessToken, refreshToken } = engineer.session;
    await engineer.get(`/api/auth/me?token=${accessToken}`);
    const query = await StockClient.authorized(app.url, undefined, { query: { token: accessToken } });
    const plain = await PlainClient.authorized(app.url, accessToken);
    const byCookie = await app.api.post('/api/auth/refresh', {}, {
      cookie: `refresh_token=${refreshToken}`,
      origin: 'http://localhost:3000',
    });
    const refreshed = succeeded(byCookie).data;
    await app.api.post('/api/auth/refresh', { refreshToken: refreshed.refreshToken });
    await eventually('the lines of Caddy', () => app.caddy.log.includes('/api/auth/refresh'));
    for (const secret of [accessToken, refreshToken, refreshed.accessToken, refreshed.refreshToken, 'engineer123']) {
      for (const part of [secret, secret.split('.').at(-1)]) assert.ok(!app.logs().includes(part));
    }
    assert.ok(!/token=/.test(app.logs()));
    query.close();
    plain.close();
  });

  test('the services send Redis no command that the ACL refuses s48', async () => {
    await (await app.api.login('admin')).post('/api/auth/logout');
    assert.equal(await app.redis.ask('ACL', 'LOG'), '');
  });

  test('/metrics and /ready are not reachable from outside s56', async () => {
    for (const path of ['/metrics', '/ready', '/api/metrics', '/api/auth/metrics', '/socket.io/../metrics', '//metrics']) {
      const text = await (await fetch(app.url + path)).text();
      assert.ok(!/http_requests_total|"dependencies"/.test(text), path);
    }
  });
});
