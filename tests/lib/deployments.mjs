import { randomBytes } from 'node:crypto';

import { Api } from './api.mjs';
import { Process, binary } from './process.mjs';
import { Postgres, Redis, contents, temporaryFolder } from './servers.mjs';
import { freePort } from './waiting.mjs';

const secret = () => randomBytes(32).toString('hex');
const at = (port) => `http://127.0.0.1:${port}`;

/** Returns secrets that a test can sign with, and turns on the demo accounts. */
const environment = () => ({
  NODE_ENV: 'development',
  HOST: '127.0.0.1',
  JWT_ACCESS_SECRET: secret(),
  JWT_REFRESH_SECRET: secret(),
  BCRYPT_COST: '4',
  RUST_LOG: 'debug',
});

/**
 * A running DriftSentry. `api` calls it over HTTP, and `socketOrigins` are the addresses for sockets. `stored()`
 * returns the content of its stores as text, and `log()` the output of its processes.
 */
class Deployment {
  constructor(processes, origins, socketOrigins, env) {
    this.processes = processes;
    this.socketOrigins = socketOrigins;
    this.api = new Api(origins);
    this.accessSecret = env.JWT_ACCESS_SECRET;
  }

  log() {
    return this.processes.map((process) => process.log).join('\n');
  }

  /** Stops all processes and returns their exit codes. */
  async stop() {
    const codes = await Promise.all(this.processes.map((process) => process.stop()));
    await this.removeStores();
    return codes;
  }
}

/**
 * Starts `driftsentry`: one process, SQLite, in-process backplane. `more` adds environment variables, or is a function
 * that returns them for the URL of the process.
 */
export async function allInOne(more = {}) {
  const data = await temporaryFolder();
  const port = await freePort();
  const url = at(port);
  const env = { ...environment(), ...(typeof more === 'function' ? more(url) : more) };
  const process = new Process(binary('driftsentry'), ['--port', String(port), '--data-dir', data.path], env);
  const deployment = new Deployment([process], { auth: url, drift: url }, [url], env);
  deployment.stored = () => contents(data.path);
  deployment.removeStores = data.remove;
  await process.ready(url);
  return deployment;
}

/** Starts the split binaries with two gateways, on a private PostgreSQL and Redis; `more` adds environment variables. */
export async function split(more = {}, redis = null) {
  const postgres = new Postgres();
  redis ??= await Redis.start();
  const shared = { ...environment(), ...more };

  const start = async (name, user, env) => {
    const port = await freePort();
    const own = { ...shared, ...env, REDIS_URL: redis.urlFor(user), PORT: String(port) };
    return Object.assign(new Process(binary(name), [], own), { url: at(port) });
  };
  const databases = {
    auth: await postgres.newDatabase(),
    drift: await postgres.newDatabase(),
    notify: await postgres.newDatabase(),
  };
  const processes = [
    await start('auth-service', 'auth', { DATABASE_URL: databases.auth }),
    await start('drift-service', 'drift', { DATABASE_URL: databases.drift }),
    await start('notify-service', 'notify', { DATABASE_URL: databases.notify }),
    await start('ws-gateway', 'gateway', { GATEWAY_NODE: 'ws-gateway-1' }),
    await start('ws-gateway', 'gateway', { GATEWAY_NODE: 'ws-gateway-2' }),
  ];
  const [auth, drift, notify, ...gateways] = processes.map(({ url }) => url);
  const deployment = new Deployment(processes, { auth, drift, notify }, gateways, shared);
  deployment.redis = redis;
  deployment.databases = databases;
  deployment.stored = async () => `${await postgres.dump()}\n${await redis.dump()}`;
  deployment.removeStores = () => Promise.all([postgres.stop(), redis.stop()]);
  await Promise.all(processes.map((process) => process.ready(process.url)));
  return deployment;
}
