// The deployment of docker-compose.yml on the Docker Engine of `run`.

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

import { Api } from '../lib/api.mjs';
import { repository } from '../lib/process.mjs';
import { eventually } from '../lib/waiting.mjs';

const exec = promisify(execFile);
const COMPOSE = [
  'compose', '--env-file', process.env.ENV_FILE, '--file', 'docker-compose.yml', '--file', 'tests/containers/compose.yml',
];
/** Enough for a container to start on a busy machine. */
const START_MS = 120_000;

export const ORIGIN = 'http://localhost:8080';
export const SERVICES = ['auth-service', 'drift-service', 'notify-service', 'ws-gateway-1', 'ws-gateway-2'];
/** Every container of the deployment except Grafana's, for which there is no package. */
export const CONTAINERS = [...SERVICES, 'caddy', 'auth-db', 'drift-db', 'notify-db', 'redis', 'prometheus'];

/** Runs a program with `input` as its standard input, and returns its output. Fails with its errors. */
async function output(program, args, input = '') {
  const running = exec(program, args, { cwd: repository, maxBuffer: 64 << 20 });
  running.child.stdin.on('error', () => {}).end(input);
  const { stdout } = await running.catch((error) => {
    throw new Error(`${program} ${args.join(' ')}: ${error.stderr || error.stdout || error.message}`);
  });
  return stdout.trim();
}

export const docker = (...args) => output('docker', args);
export const compose = (...args) => output('docker', [...COMPOSE, ...args]);
/** Runs a line of the documentation that contains `docker compose`, in Bash. */
export const line = (text, input) =>
  output('bash', ['-c', text.replaceAll('docker compose', ['docker', ...COMPOSE].join(' '))], input);
export const up = () => compose('up', '--detach', '--wait', '--wait-timeout', '180', ...CONTAINERS);

/** Returns what Docker knows about the container of a service. */
export async function inspect(service) {
  const id = await compose('ps', '--all', '--quiet', service);
  return JSON.parse(await docker('inspect', id))[0];
}

export async function reaches(service, health) {
  return eventually(`${service} to be ${health}`, async () => (await inspect(service)).State.Health.Status === health, START_MS);
}

/** Returns whether an address accepts a TCP connection from the network of an inspected container. */
export const connects = ({ State }, address, port) => {
  const attempt = ['timeout', '1', 'bash', '-c', `: </dev/tcp/${address}/${port}`];
  return output('nsenter', ['--net', '--target', String(State.Pid), ...attempt]).then(() => true, () => false);
};

/** Returns the fields of /proc/PID/status of the first process of an inspected container. */
export async function processOf({ State }) {
  const status = await readFile(`/proc/${State.Pid}/status`, 'utf8');
  return Object.fromEntries(status.trim().split('\n').map((line) => line.split(/:\s*/, 2)));
}

/** The secrets that `deploy/make-env.sh` created, as `{name: value}`. */
export async function secrets() {
  const lines = (await readFile(process.env.ENV_FILE, 'utf8')).trim().split('\n').map((line) => line.split('='));
  return Object.fromEntries(lines.filter(([, value]) => /^[0-9a-f]{64}$/.test(value)));
}

export const api = () => new Api({ auth: ORIGIN, drift: ORIGIN });
