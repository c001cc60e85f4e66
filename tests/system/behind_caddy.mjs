import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';

import { split } from '../lib/deployments.mjs';
import { Process, repository } from '../lib/process.mjs';
import { Redis, temporaryFolder } from '../lib/servers.mjs';
import { freePort } from '../lib/waiting.mjs';
import { startCaddy } from './caddy.mjs';

const run = promisify(execFile);

/** Redis as it is deployed: each service has its own user, restricted by deploy/redis/users.acl. */
class DeployedRedis extends Redis {
  #passwords = {};

  static async start() {
    const redis = new DeployedRedis();
    redis.folder = await temporaryFolder();
    redis.port = await freePort();
    const env = { RUN_DIR: redis.folder.path };
    for (const user of ['admin', 'auth', 'drift', 'notify', 'gateway', 'backend']) {
      redis.#passwords[user] = randomBytes(16).toString('hex');
      env[`REDIS_${user.toUpperCase()}_PASSWORD`] = redis.#passwords[user];
    }
    const settings = ['--port', String(redis.port), '--bind', '127.0.0.1', '--dir', redis.folder.path];
    redis.process = new Process(`${repository}/deploy/redis/start.sh`, settings, env);
    await redis.process.until('ready', () => redis.process.log.includes('Ready to accept connections'));
    return redis;
  }

  urlFor(user) {
    return `redis://${user}:${this.#passwords[user]}@127.0.0.1:${this.port}`;
  }

  /** Runs a command as the administrator and returns the response of Redis. */
  async ask(...command) {
    const login = ['-p', String(this.port), '--user', 'admin', '--pass', this.#passwords.admin, '--no-auth-warning'];
    return (await run('redis-cli', [...login, ...command])).stdout.trim();
  }
}

/**
 * The split deployment as browsers see it: one origin, `url`, behind Caddy with the real Caddyfile.
 * `auth`, `drift`, `notify`, `gateways` and `caddy` are its processes.
 */
export async function behindCaddy(env = {}) {
  const app = await split({ TRUSTED_PROXIES: '127.0.0.1/32', ...env }, await DeployedRedis.start());
  [app.auth, app.drift, app.notify, ...app.gateways] = app.processes;
  const host = ({ url }) => new URL(url).host;
  app.caddy = await startCaddy({
    AUTH_UPSTREAM: host(app.auth),
    DRIFT_UPSTREAM: host(app.drift),
    NOTIFY_UPSTREAM: host(app.notify),
    GATEWAY_1: host(app.gateways[0]),
    GATEWAY_2: host(app.gateways[1]),
  });
  app.processes.push(app.caddy);
  app.url = app.caddy.url;
  app.api.origins = { auth: app.url, drift: app.url };
  app.socketOrigins = [app.url];

  /** Returns the output of all processes, including Redis. */
  app.logs = () => `${app.log()}\n${app.redis.process.log}`;
  /** Returns the sum of a metric of one process. */
  app.metric = async ({ url }, name) => {
    const text = await (await fetch(`${url}/metrics`)).text();
    const values = [...text.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (.*)$`, 'gm'))];
    return values.reduce((sum, [, value]) => sum + Number(value), 0);
  };
  return app;
}
