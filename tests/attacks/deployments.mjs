// The two deployments that are attacked if no address is given.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';

import { allInOne } from '../lib/deployments.mjs';
import { binary } from '../lib/process.mjs';
import { behindCaddy } from '../system/behind_caddy.mjs';
import { Target } from './target.mjs';

const run = promisify(execFile);
const bodySeconds = 2;
/** Limits that a test can reach, and a proxy address that this machine can use. */
const environment = {
  TRUSTED_PROXIES: '127.0.0.1/32',
  REQUEST_BODY_SECONDS: String(bodySeconds),
  LOGIN_FAILURES_TOTAL: '300',
  RUST_LOG: 'info',
};

/** Runs `driftsentry`, for a minute at most, and returns its output. */
async function commandLine(args, input, variables) {
  const env = { PATH: process.env.PATH, ...variables };
  const child = spawn(binary('driftsentry'), args, { env, timeout: 60_000, killSignal: 'SIGKILL' });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  // The program may end before it reads its input.
  child.stdin.on('error', () => {}).end(input);
  const [, signal] = await once(child, 'close');
  if (signal) throw new Error(`driftsentry ${args[0]} did not end by itself:\n${output}`);
  return output;
}

/** Makes the database of a service read-only, as after a failover, and writable again. */
function database(url, service) {
  const name = new URL(url).pathname.slice(1);
  const env = { ...process.env, PGOPTIONS: '-c default_transaction_read_only=off' };
  const sql = (text) => run('psql', [url, '--quiet', '--command', text], { env });
  return {
    service,
    async readOnly(isReadOnly) {
      const set = `ALTER DATABASE "${name}" ${isReadOnly ? 'SET' : 'RESET'} default_transaction_read_only`;
      await sql(`${set}${isReadOnly ? ' = on' : ''}`);
      await sql('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();');
    },
  };
}

async function startAllInOne() {
  const app = await allInOne(environment);
  const [url] = app.socketOrigins;
  const target = new Target({ url, direct: url, logs: () => app.log(), commandLine, bodySeconds });
  return { target, stop: () => app.stop() };
}

async function startSplit() {
  const app = await behindCaddy(environment);
  const target = new Target({
    url: app.url,
    direct: app.auth.url,
    redis: (user) => app.redis.urlFor(user),
    database: database(app.databases.auth, app.auth.url),
    logs: () => app.logs(),
    commandLine,
    bodySeconds,
    hidesOperations: true,
  });
  return { target, stop: () => app.stop() };
}

/** `has` names the optional fields that the target of a deployment has. */
export const deployments = {
  driftsentry: { start: startAllInOne, has: ['direct', 'commandLine'] },
  'split, behind Caddy': {
    start: startSplit,
    has: ['direct', 'commandLine', 'redis', 'database', 'hidesOperations'],
  },
};
