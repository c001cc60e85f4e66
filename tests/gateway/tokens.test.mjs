// Invalid tokens. The gateway refuses each of them, from a stock client and on /ws.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import WebSocket from 'ws';

import { StockClient } from '../lib/sockets.mjs';
import { BEHIND_PROXY, Gateway, fromElsewhere as from, inSeconds } from './gateway.mjs';

let gateway;
before(async () => (gateway = await Gateway.start(BEHIND_PROXY)));
after(async () => gateway.stop());

async function refused(token) {
  const { data } = await StockClient.refusal(gateway.url, { auth: { token }, extraHeaders: from() });
  const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/ws`, ['driftsentry.v1', `bearer.${token}`], {
    headers: from(),
  });
  const [code] = await once(socket, 'close');
  return { ...data, closeCode: code };
}

const unsigned = (header, claims) =>
  `${[header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.`;

test('a token that lacks a claim, or has a wrong one, is refused s03', async () => {
  const good = gateway.claims('alice');
  for (const name of ['exp', 'aud', 'iss', 'sub', 'sid', 'type', 'jti', 'userId', 'email', 'role']) {
    const { [name]: _, ...claims } = good;
    const { code, closeCode } = await refused(gateway.sign(claims));
    assert.deepEqual([code, closeCode], ['INVALID_TOKEN', 4401], `without ${name}`);
  }
  for (const wrong of [
    { aud: 'elsewhere' },
    { iss: 'somebody' },
    { sub: 'bob' },
    { userId: '' },
    { type: 'refresh' },
    { role: 'root' },
    { sid: 'not an id' },
    { exp: 'tomorrow' },
    { nbf: inSeconds(60) },
  ]) {
    const { code } = await refused(gateway.sign({ ...good, ...wrong }));
    assert.equal(code, 'INVALID_TOKEN', JSON.stringify(wrong));
  }
});

test('a token that none of our keys signed is refused s01', async () => {
  const claims = gateway.claims('alice');
  const [header, payload, signature] = gateway.sign(claims).split('.');
  for (const token of [
    gateway.sign(claims, 'the secret of another system, of thirty-two bytes or more'),
    unsigned({ alg: 'none', typ: 'at+jwt' }, claims),
    `${header}.${payload}.`,
    `${header}.${payload}`,
    `${header}.${payload}.${signature.slice(1)}`,
    `${header}..${signature}`,
    'a.b.c',
    'x'.repeat(5000),
  ]) {
    assert.equal((await refused(token)).code, 'INVALID_TOKEN', token.slice(0, 60));
  }
});

test('a token is valid until ten seconds after it expired, and no longer s04', async () => {
  const late = await StockClient.refusal(gateway.url, {
    auth: { token: gateway.token('alice', { exp: inSeconds(-12) }) },
    extraHeaders: from(),
  });
  assert.equal(late.data.code, 'TOKEN_EXPIRED');
  assert.ok(Date.parse(late.data.expiredAt) < Date.now());
});

test('five bad tokens shut out further bad tokens of their address, and nothing else s43', async () => {
  const address = from();
  const attempt = (token, headers) =>
    StockClient.refusal(gateway.url, { auth: { token }, extraHeaders: headers }).then(({ data }) => data.code);
  for (let n = 0; n < 5; n += 1) assert.equal(await attempt('nonsense', address), 'INVALID_TOKEN');
  assert.equal(await attempt('nonsense', address), 'RATE_LIMITED');
  const forged = { 'x-forwarded-for': `1.2.3.4, ${address['x-forwarded-for']}` };
  assert.equal(await attempt('nonsense', forged), 'RATE_LIMITED');
  assert.equal(await attempt('nonsense', from()), 'INVALID_TOKEN');
  // A verified token is still accepted.
  (await StockClient.authorized(gateway.url, gateway.token('alice'), { extraHeaders: address })).close();
});
