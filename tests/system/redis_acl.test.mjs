// deploy/redis/users.acl: each service may run the commands that libs/backplane needs, and touch no key of another.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { after, before, beforeEach, describe, test } from 'node:test';
import { promisify } from 'node:util';

import { Process, repository } from '../lib/process.mjs';
import { temporaryFolder } from '../lib/servers.mjs';
import { freePort } from '../lib/waiting.mjs';

const run = promisify(execFile);
const USERS = ['ADMIN', 'AUTH', 'DRIFT', 'NOTIFY', 'GATEWAY', 'BACKEND'];
const META = '{driftsentry}:log:meta';
const LOG = '{driftsentry}:log';
const MARKS = '{driftsentry}:marks';
const KEYS = [META, LOG, '{driftsentry}:log:ids', '{driftsentry}:log:unlogged', '{driftsentry}:log:doubt'];

describe('the ACL of Redis (s48, s75)', () => {
  let folder, redis, port, scripts;

  const start = async (environment = {}) => {
    const passwords = Object.fromEntries(USERS.map((user) => [`REDIS_${user}_PASSWORD`, `${user}-pass`]));
    redis = new Process(
      `${repository}/deploy/redis/start.sh`,
      ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder.path],
      { ...passwords, ...environment, RUN_DIR: folder.path },
    );
    await redis.until('ready', () => redis.log.includes('Ready to accept connections'));
  };

  before(async () => {
    folder = await temporaryFolder();
    port = await freePort();
    await start();
    const script = (name) => readFile(`${repository}/libs/backplane/src/redis/${name}.lua`, 'utf8');
    scripts = { append: await script('append'), mark: await script('mark'), hold: await script('hold') };
  });
  after(async () => {
    await redis?.stop();
    await folder?.remove();
  });
  // Each test begins with a log of one event and one mark.
  beforeEach(async () => {
    assert.equal(await as('admin', 'FLUSHALL'), 'OK');
    accepted(await append('auth', ['auth:session.deleted'], ['s session logout']));
  });

  /** Runs a command as a user and returns the response of Redis. */
  async function as(user, ...command) {
    const login = ['-p', String(port), '--user', user, '--pass', `${user.toUpperCase()}-pass`, '--no-auth-warning'];
    return (await run('redis-cli', [...login, '-e', ...command]).catch(({ stdout, stderr }) => ({ stdout: stdout + stderr })))
      .stdout.trim();
  }

  /** Runs a script as the backplane does. */
  async function runScript(user, name, keys, args) {
    const hash = await as(user, 'SCRIPT', 'LOAD', scripts[name]);
    return as(user, 'EVALSHA', hash, keys.length, ...keys, ...args.map(String));
  }

  /** Returns the arguments of `append` before the events: the log is the one that is there, or a new one. */
  async function begin(meta, prefix) {
    const [known, fresh] = [await as('admin', 'HGET', meta, 'epoch'), crypto.randomUUID()];
    return [fresh, crypto.randomUUID(), 20_000, 3_600, 2_000, prefix, known || fresh, 0, ''];
  }

  /** Runs `append` of the backplane, with one event on each channel, and one mark if requested. */
  async function append(user, channels, marks = []) {
    const events = channels.flatMap((channel) => [
      ...[crypto.randomUUID(), channel, channel === 'auth:token.refreshed' ? '' : '1', `{"type":"${channel}"`],
      ...[marks.length, ...marks.flatMap((mark) => [mark, 60])],
    ]);
    const args = [...(await begin(META, '')), ...events];
    return runScript(user, 'append', marks.length ? [...KEYS, MARKS] : KEYS, args);
  }

  const refused = (answer, what) => assert.match(answer, /NOPERM|The user executing the script can't/, what);
  const accepted = (answer) => assert.doesNotMatch(answer, /NOPERM|ERR|NOAUTH|permission/, answer);

  test('no client connects without a password, and the health check reads nothing', async () => {
    const anonymous = await run('redis-cli', ['-p', String(port), 'GET', 'x']);
    assert.match(anonymous.stdout, /NOAUTH/);
    assert.equal(await as('health', 'PING'), 'PONG');
    refused(await as('health', 'GET', 'x'));
  });

  test('the gateway may begin the log of an empty Redis, and change nothing in it', async () => {
    assert.equal(await as('admin', 'FLUSHALL'), 'OK');
    refused(await append('gateway', []));
    for (const [field, value] of [['secret', 's'], ['seq', '0'], ['epoch', 'e']]) {
      assert.equal(await as('gateway', 'HSETNX', META, field, value), '1');
      assert.equal(await as('gateway', 'HSETNX', META, field, 'other'), '0');
    }
    assert.equal(await append('drift', []), 'e\n0');
    assert.equal(await as('gateway', 'HGET', META, 'epoch'), 'e');
  });

  test('each service appends and announces its own events only', async () => {
    accepted(await append('auth', ['auth:user.login', 'auth:session.deleted'], ['s session logout']));
    accepted(await append('auth', ['auth:token.refreshed']));
    accepted(await append('drift', ['drift:created', 'alert:created']));
    for (const channel of ['drift:created', 'alert:created', 'ws:all']) refused(await append('auth', [channel]));
    for (const channel of ['auth:session.deleted', 'auth:token.refreshed', 'ws:all']) refused(await append('drift', [channel]));
    accepted(await append('notify', ['notification:destination_failing']));
    for (const channel of ['auth:session.deleted', 'drift:created', 'ws:all']) refused(await append('notify', [channel]));
    for (const user of ['auth', 'drift']) refused(await append(user, ['notification:destination_failing']));
    refused(await append('drift', ['drift:created'], ['s session logout']));
    refused(await append('notify', ['notification:destination_failing'], ['s session logout']));
    for (const channel of ['auth:user.login', 'drift:created', 'ws:all']) refused(await append('gateway', [channel]));
  });

  test('each service publishes on its own channels only', async () => {
    const channels = {
      'auth:session.deleted': ['auth'],
      '{driftsentry}:marks:changed': ['auth'],
      'drift:created': ['drift'],
      'alert:created': ['drift'],
      'notification:destination_failing': ['notify'],
      'ws:user:1': ['gateway', 'backend'],
      'gateway:control': ['gateway'],
      '{driftsentry}:heartbeat:1': ['auth', 'drift', 'notify', 'gateway'],
      'dashboard:summaryUpdated': ['backend'],
    };
    for (const [channel, publishers] of Object.entries(channels)) {
      for (const user of ['auth', 'drift', 'notify', 'gateway', 'backend']) {
        const answer = await as(user, 'PUBLISH', channel, '{}');
        if (publishers.includes(user)) assert.equal(answer, '0', `${user} ${channel}`);
        else refused(answer);
      }
    }
  });

  test('each service subscribes, reads the log and the marks, probes, and records a doubt', async () => {
    for (const user of ['auth', 'drift', 'notify', 'gateway']) {
      accepted(await as(user, 'HMGET', META, 'epoch', 'seq'));
      accepted(await as(user, 'HGET', META, 'secret'));
      accepted(await as(user, 'XRANGE', LOG, '1', '+', 'COUNT', '10'));
      accepted(await as(user, 'ZRANGE', MARKS, '0', '-1', 'WITHSCORES'));
      accepted(await as(user, 'ZRANGE', 'driftsentry:marks', '0', '-1', 'WITHSCORES'));
      accepted(await as(user, 'TIME'));
      for (const question of [['SLOTS'], ['KEYSLOT', LOG]]) {
        assert.match(await as(user, 'CLUSTER', ...question), /cluster support disabled/);
      }
      accepted(await as(user, 'SET', '{driftsentry}:probe', '', 'PX', '60000'));
      accepted(await as(user, 'SET', '{driftsentry}:log:doubt', 'another epoch', 'EX', '60'));
      const listener = new Process('redis-cli', [
        ...['-p', String(port), '--user', user, '--pass', `${user.toUpperCase()}-pass`, '--no-auth-warning'],
        ...['psubscribe', 'auth:*', 'drift:*', 'alert:*', 'stack:*', 'scan:*', 'notification:*', 'ws:*', 'orders:*'],
      ]);
      await listener.until('subscribed', () => listener.log.includes('orders:*'));
      await listener.stop();
    }
  });

  test('an epoch that is in doubt ends with the next append', async () => {
    const epoch = () => as('gateway', 'HGET', META, 'epoch');
    const before = await epoch();
    accepted(await as('gateway', 'SET', '{driftsentry}:log:doubt', before));
    accepted(await append('drift', []));
    assert.notEqual(await epoch(), before);
  });

  test('only auth writes marks', async () => {
    const mark = ['{driftsentry}:marks:changed', 's other logout', 60];
    accepted(await runScript('auth', 'mark', [MARKS], mark));
    assert.match(await as('admin', 'ZRANGE', MARKS, '0', '-1'), /s other logout/);
    for (const user of ['drift', 'notify', 'gateway', 'backend']) refused(await as(user, 'ZADD', MARKS, '1', 's x logout'));
    for (const user of ['drift', 'notify', 'gateway']) refused(await runScript(user, 'mark', [MARKS], mark));
  });

  test('the gateway cannot delete or change the log, the marks, or any key of another', async () => {
    const before = await as('admin', 'HGETALL', META);
    const writes = [
      ...[MARKS, ...KEYS, '{driftsentry}:count:auth:x', '{driftsentry}:value:auth:x'].flatMap((key) => [
        ['DEL', key],
        ['UNLINK', key],
        ['EXPIRE', key, '1'],
        ['PEXPIRE', key, '1'],
        ['RENAME', key, '{driftsentry}:value:ws:x'],
        ['COPY', key, '{driftsentry}:value:ws:x'],
        ['GETDEL', key],
      ]),
      ['SET', LOG, 'x'],
      ['SET', MARKS, 'x'],
      ['HSET', META, 'epoch', 'x'],
      ['HDEL', META, 'epoch'],
      ['XADD', LOG, '*', 'channel', 'auth:user.login'],
      ['XTRIM', LOG, 'MAXLEN', '0'],
      ['XDEL', LOG, '1-0'],
      ['ZREM', MARKS, 's session logout'],
      ['ZREMRANGEBYSCORE', MARKS, '-inf', '+inf'],
      ['ZADD', '{driftsentry}:log:ids', '1', crypto.randomUUID()],
      ['GET', '{driftsentry}:value:auth:token-used:x'],
      ['EVAL', "return redis.call('DEL', KEYS[1])", '1', LOG],
      ['FLUSHDB'],
    ];
    for (const command of writes) refused(await as('gateway', ...command), command.join(' '));
    assert.equal(await as('admin', 'HGETALL', META), before);
    assert.match(await as('admin', 'ZRANGE', MARKS, '0', '-1'), /s session logout/);
  });

  test('drift and notify cannot delete marks, and auth cannot delete marks or counters of others', async () => {
    for (const command of [['DEL', MARKS], ['ZREMRANGEBYSCORE', MARKS, '-inf', '+inf'], ['DEL', META]]) {
      for (const user of ['drift', 'notify']) refused(await as(user, ...command), command.join(' '));
    }
    refused(await as('auth', 'DEL', MARKS));
    refused(await as('auth', 'DEL', META));
    refused(await as('auth', 'DEL', '{driftsentry}:count:ws:x'));
  });

  test('each service counts and keeps values under its own names only', async () => {
    const owners = { auth: 'auth', drift: 'drift', notify: null, gateway: 'ws' };
    for (const [user, own] of Object.entries(owners)) {
      for (const name of ['auth', 'drift', 'notify', 'ws']) {
        const expect = name === own ? accepted : refused;
        const [count, value] = [`{driftsentry}:count:${name}:x`, `{driftsentry}:value:${name}:x`];
        expect(await as(user, 'SET', count, '0', 'PX', '1000', 'NX'));
        expect(await as(user, 'INCR', count));
        expect(await as(user, 'GET', count));
        expect(await as(user, 'PSETEX', value, '1000', 'v'));
        expect(await as(user, 'GETDEL', value));
      }
    }
  });

  test('each service that verifies a service token records its use', async () => {
    for (const user of ['auth', 'drift', 'notify', 'gateway']) {
      accepted(await as(user, 'PSETEX', '{driftsentry}:value:auth:token-used:x', '1000', 'now'));
    }
  });

  test('only the gateway counts the holders of a slot, in one transaction', async () => {
    const key = '{driftsentry}:holders:ws:user:1';
    accepted(await runScript('gateway', 'hold', [key, key], [9000, 's1', 's2']));
    for (const other of ['auth', 'drift', 'notify']) refused(await runScript(other, 'hold', [key], [9000, 's1']));
    for (const command of [['ZRANGE', key, '0', '-1'], ['ZREM', key, 's1']]) {
      accepted(await as('gateway', ...command));
      for (const other of ['auth', 'drift', 'notify']) refused(await as(other, ...command));
    }
  });

  test('no service may administer Redis or list all keys', async () => {
    for (const user of ['auth', 'drift', 'notify', 'gateway', 'backend']) {
      for (const command of [['CONFIG', 'GET', '*'], ['KEYS', '*'], ['FLUSHALL'], ['ACL', 'LIST'], ['CLIENT', 'LIST'], ['SAVE']]) {
        refused(await as(user, ...command));
      }
    }
  });

  test('written data is still there after a restart', async () => {
    const kept = () => as('admin', 'HGETALL', META);
    const before = await kept();
    assert.match(before, /epoch\n\S+/);
    await redis.stop();
    await start();
    assert.equal(await kept(), before);
    assert.doesNotMatch(redis.log, /CRITICAL/);
  });

  test('with another prefix, the users have the same permissions on its names alone', async () => {
    await redis.stop();
    await assert.rejects(start({ REDIS_PREFIX: 'a*' }), /REDIS_PREFIX must consist of/);
    await start({ REDIS_PREFIX: 'acme' });
    const keys = (prefix) => [...KEYS, MARKS].map((key) => key.replace('driftsentry', prefix));
    const event = async (prefix) => [
      ...(await begin(META.replace('driftsentry', 'acme'), prefix)),
      ...[crypto.randomUUID(), 'auth:session.deleted', '1', '{"type":"auth:session.deleted"', 1, 's session logout', 60],
    ];
    accepted(await runScript('auth', 'append', keys('acme'), await event('{acme}:')));
    refused(await runScript('auth', 'append', keys('acme'), await event('')));
    refused(await runScript('auth', 'append', keys('driftsentry'), await event('{acme}:')));
    for (const user of ['auth', 'drift', 'notify', 'gateway']) {
      accepted(await as(user, 'ZRANGE', '{acme}:marks', '0', '-1'));
      for (const marks of [MARKS, 'driftsentry:marks']) refused(await as(user, 'ZRANGE', marks, '0', '-1'));
    }
    assert.equal(await as('backend', 'PUBLISH', '{acme}:ws:all', '{}'), '0');
    refused(await as('backend', 'PUBLISH', 'ws:all', '{}'));
  });
});
