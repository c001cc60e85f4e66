// Attacks over sockets and Redis. Each attack resolves if the deployment withstands it.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';

import WebSocket from 'ws';

import { succeeded } from '../lib/api.mjs';
import { PlainClient, StockClient } from '../lib/sockets.mjs';
import { eventually } from '../lib/waiting.mjs';
import { unique } from './target.mjs';

const run = promisify(execFile);

async function forgedPositions(target) {
  const { redis } = target;
  const victim = await target.newcomer();
  const socket = await PlainClient.authorized(target.url, victim.token);
  const { epoch, seq } = socket.of('connection.authorized')[0].payload;
  for (const [channel, user] of [['ws:all', 'backend'], ['dashboard:summaryUpdated', 'backend']]) {
    for (let ahead = 1; ahead <= 5; ahead++) {
      const body = { eventId: crypto.randomUUID(), type: 'noise', timestamp: new Date().toISOString(), payload: {} };
      const forged = JSON.stringify({ ...body, epoch, seq: seq + ahead });
      await run('redis-cli', ['-u', redis(user), 'publish', channel, forged]);
    }
  }
  let code;
  socket.socket.once('close', (closed) => (code = closed));
  succeeded(await victim.post('/api/auth/logout'));
  await eventually('the socket to close', () => code);
  assert.equal(code, 4403);
  await eventually('the token is refused by the other service', async () => (await victim.get('/api/v1/audit')).status === 401);
}

async function reservedNames(target) {
  const admin = await target.login('admin');
  const names = ['disconnect', 'connect', 'connect_error', 'session.revoked', 'connection.authorized', 'server.draining', 'resync'];
  for (const type of names) {
    const { status } = await admin.post('/api/realtime/emit', { target: 'all', type, payload: {} });
    assert.equal(status, 400, type);
  }
}

async function reservedNamesThroughRedis(target) {
  const { redis } = target;
  const bystander = await StockClient.authorized(target.url, (await target.newcomer()).token);
  for (const type of ['session.revoked', 'attack.over']) {
    const envelope = { eventId: crypto.randomUUID(), type, timestamp: new Date().toISOString(), payload: {} };
    await run('redis-cli', ['-u', redis('backend'), 'publish', 'ws:all', JSON.stringify(envelope)]);
  }
  await bystander.event('attack.over');
  assert.equal(bystander.of('session.revoked').length, 0);
  bystander.close();
}

async function connectsWithoutAToken(target) {
  const before = target.logs?.().length ?? 0;
  const socket = new WebSocket(`${target.webSocketUrl}/socket.io/?EIO=4&transport=websocket`);
  let answers = 0;
  let isClosed = false;
  socket.on('message', () => answers++).on('close', () => (isClosed = true));
  await once(socket, 'open');
  // A reset closes the connection, too.
  socket.on('error', () => {});
  for (let i = 0; i < 40_000 && socket.readyState === WebSocket.OPEN; i++) {
    socket.send('40');
    if (i % 500 === 0) await new Promise(setImmediate);
  }
  await eventually('the connection to close', () => isClosed);
  assert.ok(answers < 20, `${answers} answers`);
  if (target.logs) assert.ok(target.logs().length - before < 50_000, 'the log grew without bounds');
}

async function guessesBesideAValidToken(target) {
  for (let i = 0; i < 8; i++) await StockClient.refusal(target.url, { auth: { token: `guess-${unique()}` } });
  const client = await StockClient.authorized(target.url, (await target.newcomer()).token);
  client.close();
}

async function foreignOrigin(target) {
  const outcome = (origin, host) => {
    const headers = { Origin: origin, Host: host };
    const socket = new WebSocket(`${target.webSocketUrl}/ws`, ['driftsentry.v1'], { headers });
    const ended = new Promise((resolve) => {
      socket.on('open', () => resolve('opened')).on('error', ({ message }) => resolve(message));
    });
    return ended.finally(() => socket.terminate());
  };
  const own = new URL(target.url);
  assert.equal(await outcome(own.origin, own.host), 'opened', 'our own origin');
  for (const [origin, host] of [['http://evil.test', 'evil.test'], ['https://evil.test:3001', 'evil.test:3001'], ['null', 'evil.test']]) {
    assert.equal(await outcome(origin, host), 'Unexpected server response: 403', `${origin} at ${host}`);
  }
}

async function gatewayDeletesTheLog(target) {
  const { redis } = target;
  const keys = ['{driftsentry}:log', '{driftsentry}:log:meta', '{driftsentry}:marks'];
  for (const command of keys.flatMap((key) => [['del', key], ['unlink', key], ['expire', key, '1']])) {
    const { stdout } = await run('redis-cli', ['-u', redis('gateway'), ...command]);
    assert.match(stdout, /NOPERM/, command.join(' '));
  }
}

async function changedAccount(target) {
  const [admin, user] = [await target.login('admin'), await target.newcomer()];
  const { id } = user.session.user;
  const socket = await PlainClient.authorized(target.url, user.token);
  const account = `attack-${unique()}`;
  succeeded(await admin.patch(`/api/auth/users/${id}`, { accountId: account }));
  await eventually('the room of the new account', async () => {
    const { data } = succeeded(await admin.get(`/api/realtime/users/${id}/connections`));
    const rooms = data.connections.flatMap((connection) => connection.rooms);
    return rooms.includes(`account:${account}`) && !rooms.includes('account:global');
  });
  socket.close();
}

export const socketAttacks = [
  { line: 58, title: 'a publisher forges positions to hide the end of a session', attack: forgedPositions, needs: 'redis' },
  { line: 58, title: 'events with reserved names are sent', attack: reservedNames },
  { line: 58, title: 'a publisher sends events with reserved names', attack: reservedNamesThroughRedis, needs: 'redis' },
  { line: 65, title: '40,000 CONNECT packets without a token get responses', attack: connectsWithoutAToken },
  { line: 66, title: 'bad tokens shut out valid ones of the same address', attack: guessesBesideAValidToken },
  { line: 73, title: 'a page of another site connects under a name that points here', attack: foreignOrigin },
  { line: 75, title: 'the Redis user of the gateway deletes the log', attack: gatewayDeletesTheLog, needs: 'redis' },
  { line: 78, title: 'an open socket keeps the rooms of its former account', attack: changedAccount },
];
