// deploy/redis/users.acl: each service may do what libs/backplane does for it, and nothing of another's.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';

import { Process, repository } from '../lib/process.mjs';
import { temporaryFolder } from '../lib/servers.mjs';
import { freePort } from '../lib/waiting.mjs';

const run = promisify(execFile);
const USERS = ['ADMIN', 'AUTH', 'DRIFT', 'GATEWAY', 'BACKEND'];
const KEYS = ['driftsentry:log:meta', 'driftsentry:log', 'driftsentry:marks'];

describe('s48 the ACL of Redis', () => {
  let folder, redis, port, scripts;

  const start = async () => {
    const passwords = Object.fromEntries(USERS.map((user) => [`REDIS_${user}_PASSWORD`, `${user}-pass`]));
    redis = new Process(
      `${repository}/deploy/redis/start.sh`,
      ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder.path],
      { ...passwords, RUN_DIR: folder.path },
    );
    await redis.until('ready', () => redis.log.includes('Ready to accept connections'));
  };

  before(async () => {
    folder = await temporaryFolder();
    port = await freePort();
    await start();
    const script = (name) => readFile(`${repository}/libs/backplane/src/redis/${name}.lua`, 'utf8');
    scripts = { append: await script('append'), renew: await script('renew') };
  });
  after(async () => {
    await redis?.stop();
    await folder?.remove();
  });

  /** What Redis answers to a command of a user. */
  async function as(user, ...command) {
    const login = ['-p', String(port), '--user', user, '--pass', `${user.toUpperCase()}-pass`, '--no-auth-warning'];
    return (await run('redis-cli', [...login, '-e', ...command]).catch(({ stdout, stderr }) => ({ stdout: stdout + stderr })))
      .stdout.trim();
  }

  /** What backplane's `append` sends, with one event on each channel, and one mark if asked for. */
  async function append(user, channels, marks = []) {
    const now = Math.floor(Date.now() / 1000);
    const events = channels.flatMap((channel) => [
      crypto.randomUUID(),
      channel,
      `{"type":"${channel}"`,
      marks.length,
      ...marks.flatMap((mark) => [mark, now + 60]),
    ]);
    const begin = [crypto.randomUUID(), 20_000, now - 3_600, now, 'driftsentry:appended:', 86_400];
    const hash = await as(user, 'SCRIPT', 'LOAD', scripts.append);
    return as(user, 'EVALSHA', hash, 3, ...KEYS, ...[...begin, ...events].map(String));
  }

  const refused = (answer) => assert.match(answer, /NOPERM|The user executing the script can't/);
  const accepted = (answer) => assert.doesNotMatch(answer, /NOPERM|ERR|NOAUTH|permission/, answer);

  test('nobody gets in without a password, and the health check sees nothing', async () => {
    const anonymous = await run('redis-cli', ['-p', String(port), 'GET', 'x']);
    assert.match(anonymous.stdout, /NOAUTH/);
    assert.equal(await as('health', 'PING'), 'PONG');
    refused(await as('health', 'GET', 'x'));
  });

  test('the gateway may begin the log of an empty Redis', async () => {
    assert.equal(await append('gateway', []), '0');
  });

  test('each service appends and announces its own events only', async () => {
    accepted(await append('auth', ['auth:user.login', 'auth:session.deleted'], ['s session logout']));
    accepted(await append('drift', ['drift:created', 'alert:created']));
    for (const channel of ['drift:created', 'alert:created', 'ws:all']) refused(await append('auth', [channel]));
    for (const channel of ['auth:session.deleted', 'ws:all']) refused(await append('drift', [channel]));
    refused(await append('drift', ['drift:created'], ['s session logout']));
    for (const channel of ['auth:user.login', 'drift:created', 'ws:all']) refused(await append('gateway', [channel]));
  });

  test('each service publishes on its own channels only', async () => {
    const channels = {
      'auth:session.deleted': ['auth'],
      'driftsentry:marks:changed': ['auth'],
      'drift:created': ['drift'],
      'alert:created': ['drift'],
      'ws:user:1': ['gateway', 'backend'],
      'gateway:control': ['gateway'],
      'driftsentry:heartbeat:1': ['auth', 'drift', 'gateway'],
      'dashboard:summaryUpdated': ['backend'],
    };
    for (const [channel, publishers] of Object.entries(channels)) {
      for (const user of ['auth', 'drift', 'gateway', 'backend']) {
        const answer = await as(user, 'PUBLISH', channel, '{}');
        if (publishers.includes(user)) assert.equal(answer, '0', `${user} ${channel}`);
        else refused(answer);
      }
    }
  });

  test('each service hears, reads the log and the marks, and begins a new epoch', async () => {
    for (const user of ['auth', 'drift', 'gateway']) {
      accepted(await as(user, 'HMGET', KEYS[0], 'epoch', 'seq'));
      accepted(await as(user, 'XRANGE', KEYS[1], '1', '+', 'COUNT', '10'));
      accepted(await as(user, 'ZRANGEBYSCORE', KEYS[2], '0', '+inf'));
      accepted(await as(user, 'EVAL', scripts.renew, '2', KEYS[0], KEYS[1], 'no-such-epoch', 'new'));
      const listener = new Process('redis-cli', [
        ...['-p', String(port), '--user', user, '--pass', `${user.toUpperCase()}-pass`, '--no-auth-warning'],
        ...['psubscribe', 'auth:*', 'drift:*', 'alert:*', 'ws:*', 'orders:*'],
      ]);
      await listener.until('subscribed', () => listener.log.includes('orders:*'));
      await listener.stop();
    }
  });

  test('each service counts and keeps values under its own names only', async () => {
    const owners = { auth: 'auth', drift: 'drift', gateway: 'ws' };
    for (const [user, own] of Object.entries(owners)) {
      for (const name of Object.values(owners)) {
        const expect = name === own ? accepted : refused;
        const [count, value] = [`driftsentry:count:${name}:x`, `driftsentry:value:${name}:x`];
        expect(await as(user, 'SET', count, '0', 'PX', '1000', 'NX'));
        expect(await as(user, 'INCR', count));
        expect(await as(user, 'GET', count));
        expect(await as(user, 'PSETEX', value, '1000', 'v'));
        expect(await as(user, 'GETDEL', value));
      }
    }
  });

  test('whoever verifies a service token notes its use', async () => {
    for (const user of ['auth', 'drift', 'gateway']) {
      accepted(await as(user, 'PSETEX', 'driftsentry:value:auth:token-used:x', '1000', 'now'));
    }
  });

  test('the gateway alone counts who holds a place, in one transaction', async () => {
    const key = 'driftsentry:holders:ws:user:1';
    const hold = [['ZREMRANGEBYSCORE', key, '-inf', '1'], ['ZADD', key, '5', 's1'], ['PEXPIRE', key, '9000'], ['ZCARD', key]];
    for (const command of [...hold, ['ZREM', key, 's1']]) {
      accepted(await as('gateway', ...command));
      for (const other of ['auth', 'drift']) refused(await as(other, ...command));
    }
  });

  test('no service may administer, look at all keys, or write marks that are not its own', async () => {
    for (const user of ['auth', 'drift', 'gateway', 'backend']) {
      for (const command of [['CONFIG', 'GET', '*'], ['KEYS', '*'], ['FLUSHALL'], ['ACL', 'LIST'], ['CLIENT', 'LIST'], ['SAVE']]) {
        refused(await as(user, ...command));
      }
    }
    for (const user of ['drift', 'gateway']) refused(await as(user, 'ZADD', KEYS[2], '1', 's x logout'));
    refused(await as('gateway', 'XADD', KEYS[1], '*', 'channel', 'auth:user.login'));
  });

  test('what was written is still there after a restart', async () => {
    await append('auth', ['auth:user.login']);
    const kept = () => as('admin', 'HGETALL', 'driftsentry:log:meta');
    const before = await kept();
    assert.match(before, /epoch/);
    await redis.stop();
    await start();
    assert.equal(await kept(), before);
    assert.doesNotMatch(redis.log, /CRITICAL/);
  });
});
