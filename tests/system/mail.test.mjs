// Mails of auth-service as separate processes: killed at any moment, and read by a scanner.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, describe, test } from 'node:test';

import { Mailbox } from '../lib/mail.mjs';
import { Process, binary } from '../lib/process.mjs';
import { Postgres, Redis } from '../lib/servers.mjs';
import { eventually, freePort } from '../lib/waiting.mjs';

const KILLS = 12;
const WITHIN_MS = 60_000;

describe('mails of auth-service', () => {
  let mailbox, postgres, redis, env;
  before(async () => {
    postgres = new Postgres();
    [mailbox, redis] = [await Mailbox.start(), await Redis.start()];
    env = {
      NODE_ENV: 'development',
      HOST: '127.0.0.1',
      JWT_ACCESS_SECRET: 'an access secret of the tests of mails',
      JWT_REFRESH_SECRET: 'a refresh secret of the tests of mails',
      BCRYPT_COST: '4',
      SMTP_URL: mailbox.url,
      MAIL_FROM: 'no-reply@example.com',
      PUBLIC_URL: 'https://drift.example.com',
      VERIFY_EMAIL: 'true',
      DATABASE_URL: await postgres.newDatabase(),
      REDIS_URL: redis.url,
    };
  });
  after(() => Promise.all([mailbox?.stop(), postgres?.stop(), redis?.stop()]));

  async function start() {
    const port = await freePort();
    const service = new Process(binary('auth-service'), [], { ...env, PORT: String(port) });
    service.url = `http://127.0.0.1:${port}`;
    await service.ready(service.url);
    return service;
  }

  test('every requested mail arrives within a minute of a restart, and duplicates have one id', async () => {
    const accepted = [];
    for (let round = 0; round < KILLS; round += 1) {
      const service = await start();
      let first;
      const begun = new Promise((resolve) => (first = resolve));
      const asks = Array.from({ length: 6 }, async (_, number) => {
        const email = `round${round}.${number}@example.com`;
        const body = JSON.stringify({ name: 'A user', email, password: 'correct horse battery' });
        const headers = { 'content-type': 'application/json' };
        const answer = await fetch(`${service.url}/signup`, { method: 'POST', headers, body }).catch(() => null);
        if (answer?.status === 202) accepted.push(email);
        first();
      });
      await begun;
      // A different moment in each round: between commits, while mails are written, while they are sent.
      await sleep(round * 9);
      service.kill('SIGKILL');
      await Promise.all(asks);
      await eventually('the process is dead', () => !service.running);
    }
    const restarted = Date.now();
    const service = await start();
    await eventually(
      () => `mails to ${accepted}`,
      async () => {
        const reached = new Set((await mailbox.all()).map(({ to }) => to));
        return accepted.every((email) => reached.has(email));
      },
      WITHIN_MS,
    );
    assert.ok(Date.now() - restarted < WITHIN_MS);
    assert.ok(accepted.length > KILLS, `only ${accepted.length} requests were accepted`);
    const ids = new Map();
    for (const { to, id } of await mailbox.all()) ids.set(to, new Set([...(ids.get(to) ?? []), id]));
    for (const [to, own] of ids) assert.equal(own.size, 1, `the mails to ${to} have the ids ${[...own]}`);
    await service.stop();
  });
});
