// A single gateway on a private Redis, with tokens for it.

import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { Process, binary, repository } from '../lib/process.mjs';
import { Redis } from '../lib/servers.mjs';
import { freePort } from '../lib/waiting.mjs';

const run = promisify(execFile);
const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const now = () => Math.floor(Date.now() / 1000);

export class Gateway {
  #secret = randomBytes(32).toString('hex');

  static async start(settings = {}) {
    const gateway = new Gateway();
    gateway.redis = await Redis.start();
    const port = await freePort();
    gateway.url = `http://127.0.0.1:${port}`;
    gateway.process = new Process(binary('ws-gateway'), [], {
      HOST: '127.0.0.1',
      PORT: String(port),
      REDIS_URL: gateway.redis.url,
      JWT_ACCESS_SECRET: gateway.#secret,
      RUST_LOG: 'debug',
      ...settings,
    });
    await gateway.process.ready(gateway.url);
    return gateway;
  }

  /** Returns the claims of a valid token; `changes` can make it invalid. */
  claims(userId, changes = {}) {
    return {
      sub: userId,
      userId,
      email: `${userId}@example.com`,
      role: 'viewer',
      sid: randomUUID(),
      type: 'access',
      gen: 1,
      iss: 'driftsentry',
      aud: 'api',
      iat: now(),
      exp: now() + 900,
      jti: randomUUID(),
      ...changes,
    };
  }

  sign(claims, secret = this.#secret) {
    const signed = `${encoded({ alg: 'HS256', typ: 'at+jwt' })}.${encoded(claims)}`;
    return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
  }

  token(userId, changes) {
    return this.sign(this.claims(userId, changes));
  }

  /** Publishes like any other back end, with PUBLISH only. */
  async publish(channel, payload, fields = {}) {
    const envelope = { eventId: randomUUID(), type: channel, timestamp: new Date(), payload, ...fields };
    await run('redis-cli', ['-p', String(this.redis.port), 'publish', channel, JSON.stringify(envelope)]);
  }

  /** Publishes like our services: through the log, with a position. */
  async append(channel, payload) {
    const envelope = { eventId: randomUUID(), type: channel, timestamp: new Date(), payload };
    const keys = ['meta', '', 'ids', 'unlogged', 'doubt'].map((name) => `{driftsentry}:log${name && `:${name}`}`);
    const event = [envelope.eventId, channel, '1', JSON.stringify(envelope).slice(0, -1), '0'];
    const port = String(this.redis.port);
    const { stdout: known } = await run('redis-cli', ['-p', port, 'hget', keys[0], 'epoch']);
    const fresh = randomUUID();
    const args = [fresh, randomUUID(), '20000', '3600', '2000', '', known.trim() || fresh, '0', '', ...event];
    const script = `${repository}/libs/backplane/src/redis/append.lua`;
    const { stdout } = await run('redis-cli', ['-e', '-p', port, '--eval', script, ...keys, ',', ...args]);
    if (stdout.trim().split('\n').at(-1) !== envelope.eventId) throw new Error(stdout);
  }

  async metric(line) {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    const found = text.split('\n').find((other) => other.startsWith(line));
    return found ? Number(found.slice(line.length)) : 0;
  }

  async stop() {
    const code = await this.process.stop();
    await this.redis.stop();
    return code;
  }
}

/** Returns a time in seconds from now, in the format of token claims. */
export const inSeconds = (seconds) => now() + seconds;

let clients = 0;
/** Returns headers of a client with its own address, because five bad tokens shut out an address. */
export const fromElsewhere = () => ({ 'x-forwarded-for': `10.0.${Math.floor(++clients / 250)}.${clients % 250}` });

/** The variables of a gateway that trusts these headers. */
export const BEHIND_PROXY = { TRUSTED_PROXIES: '127.0.0.1/32' };
