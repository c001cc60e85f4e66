// How the containers of docker-compose.yml are confined: users, capabilities, file systems, networks, secrets, limits.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { before, describe, test } from 'node:test';

import { Process } from '../lib/process.mjs';
import { CONTAINERS, SERVICES, compose, connects, docker, inspect, processOf, secrets, up } from './docker.mjs';

const NETWORKS = {
  caddy: ['front'],
  'auth-service': ['auth-data', 'events', 'front', 'monitoring'],
  'drift-service': ['drift-data', 'events', 'front', 'monitoring'],
  'notify-service': ['events', 'front', 'monitoring', 'notify-data'],
  'ws-gateway-1': ['events', 'front', 'monitoring'],
  'ws-gateway-2': ['events', 'front', 'monitoring'],
  'auth-db': ['auth-data'],
  'drift-db': ['drift-data'],
  'notify-db': ['notify-data'],
  redis: ['events'],
  prometheus: ['monitoring'],
};
const PORTS = {
  caddy: 8080, 'auth-service': 4001, 'drift-service': 4002, 'notify-service': 4003,
  'ws-gateway-1': 4004, 'ws-gateway-2': 4004,
  'auth-db': 5432, 'drift-db': 5432, 'notify-db': 5432, redis: 6379, prometheus: 9090,
};
const SECRETS = {
  JWT_REFRESH_SECRET: ['auth-service'],
  DRIFT_HASH_SECRET: ['drift-service'],
  NOTIFY_SECRET: ['notify-service'],
  AUTH_DB_PASSWORD: ['auth-service', 'auth-db'],
  DRIFT_DB_PASSWORD: ['drift-service', 'drift-db'],
  NOTIFY_DB_PASSWORD: ['notify-service', 'notify-db'],
  REDIS_ADMIN_PASSWORD: ['redis'],
  REDIS_BACKEND_PASSWORD: ['redis'],
  REDIS_AUTH_PASSWORD: ['auth-service', 'redis'],
  REDIS_DRIFT_PASSWORD: ['drift-service', 'redis'],
  REDIS_NOTIFY_PASSWORD: ['notify-service', 'redis'],
  REDIS_GATEWAY_PASSWORD: ['ws-gateway-1', 'ws-gateway-2', 'redis'],
  GRAFANA_PASSWORD: [],
};
/** CAP_NET_BIND_SERVICE as a bit of /proc/PID/status. */
const BIND = 1n << 10n;

/** Starts a server beyond the networks of Docker, as another machine would be. */
async function outside() {
  const ip = (...args) => execFileSync('ip', args);
  const [address, port] = ['198.51.100.2', 8000];
  ip('netns', 'add', 'outside');
  ip('link', 'add', 'outside0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', 'outside');
  ip('address', 'add', '198.51.100.1/24', 'dev', 'outside0');
  ip('link', 'set', 'outside0', 'up');
  ip('-n', 'outside', 'address', 'add', `${address}/24`, 'dev', 'eth0');
  ip('-n', 'outside', 'link', 'set', 'eth0', 'up');
  const server = new Process('ip', ['netns', 'exec', 'outside', 'python3', '-m', 'http.server', String(port)]);
  await server.until('listening', () => fetch(`http://${address}:${port}`).catch(() => null));
  const stop = async () => {
    await server.stop();
    ip('netns', 'delete', 'outside');
  };
  return { address, port, stop };
}

const short = (network) => network.replace('driftsentry_', '');
const sorted = (values) => [...values].sort();

describe('confinement', () => {
  const containers = {};

  before(async () => {
    await up();
    for (const name of CONTAINERS) containers[name] = await inspect(name);
  });

  test('every container is healthy by a check of its own', () => {
    for (const [name, { State, Config }] of Object.entries(containers)) {
      assert.equal(State.Health.Status, 'healthy', name);
      assert.ok(Config.Healthcheck.Test.length > 1, name);
    }
  });

  test('only Caddy runs as root, and no process can get a capability that it does not need', async () => {
    for (const [name, container] of Object.entries(containers)) {
      const status = await processOf(container);
      const [uid] = status.Uid.split('\t');
      assert.equal(uid === '0', name === 'caddy', `${name} runs as ${uid}`);
      assert.equal(status.NoNewPrivs, '1', name);
      for (const set of ['CapPrm', 'CapEff', 'CapBnd']) {
        const allowed = name === 'caddy' ? BIND : 0n;
        assert.equal(BigInt(`0x${status[set]}`) & ~allowed, 0n, `${name}: ${set} is ${status[set]}`);
      }
      assert.equal(status.Seccomp, '2', `${name} has a filter of system calls`);
    }
  });

  test('every root file system is read-only, and only data folders are writable', async () => {
    const writable = {};
    for (const [name, { State }] of Object.entries(containers)) {
      const mounts = (await readFile(`/proc/${State.Pid}/mountinfo`, 'utf8')).trim().split('\n').map((line) => line.split(' '));
      const root = mounts.find((mount) => mount[4] === '/');
      assert.ok(root[5].split(',').includes('ro'), `${name}: ${root}`);
      writable[name] = sorted(
        mounts.filter((mount) => mount[5].split(',').includes('rw')).map((mount) => mount[4]).filter((path) => !/^\/(proc|sys|dev|etc)(\/|$)/.test(path)),
      );
    }
    const data = '/var/lib/postgresql/data';
    assert.deepEqual(writable, {
      'auth-service': [], 'drift-service': [], 'notify-service': [], 'ws-gateway-1': [], 'ws-gateway-2': [],
      caddy: ['/config', '/data'],
      'auth-db': ['/tmp', data, '/run/postgresql'].sort(), 'drift-db': ['/tmp', data, '/run/postgresql'].sort(),
      'notify-db': ['/tmp', data, '/run/postgresql'].sort(),
      redis: ['/data', '/tmp'],
      prometheus: ['/prometheus'],
    });
  });

  test('processor and memory of every container are limited', async () => {
    for (const [name, { HostConfig }] of Object.entries(containers)) {
      assert.equal(HostConfig.Memory, 512 << 20, name);
      assert.equal(HostConfig.NanoCpus, 2e9, name);
      assert.equal(HostConfig.LogConfig.Config['max-size'], '20m', name);
      assert.equal(HostConfig.RestartPolicy.Name, 'unless-stopped', name);
    }
    const usage = await docker('stats', '--no-stream', '--format', '{{.Name}} {{.MemUsage}}');
    for (const line of usage.split('\n')) assert.match(line, / \/ 512MiB$/);
  });

  test('a service has the time to stop that its sockets need', () => {
    for (const name of SERVICES) assert.equal(containers[name].Config.StopTimeout, 40, name);
  });

  test('a container reaches the containers of its networks and no others', async () => {
    for (const [name, { NetworkSettings }] of Object.entries(containers)) {
      assert.deepEqual(sorted(Object.keys(NetworkSettings.Networks).map(short)), NETWORKS[name], name);
    }
    for (const from of CONTAINERS) {
      await Promise.all(CONTAINERS.filter((to) => to !== from).flatMap((to) => NETWORKS[to].map(async (network) => {
        const { IPAddress } = containers[to].NetworkSettings.Networks[`driftsentry_${network}`];
        const connected = await connects(containers[from], IPAddress, PORTS[to]);
        assert.equal(connected, NETWORKS[from].includes(network), `${from} to ${to} in ${network}`);
      })));
    }
  });

  test('a container that needs nothing from outside reaches nothing outside', async () => {
    const server = await outside();
    try {
      for (const [name, reached] of [['auth-service', true], ['notify-service', true], ['drift-db', false], ['redis', false]]) {
        assert.equal(await connects(containers[name], server.address, server.port), reached, name);
      }
    } finally {
      await server.stop();
    }
  });

  test('the fixed network is not one that Docker assigns to other networks by itself', () => {
    const { IPAddress } = containers.caddy.NetworkSettings.Networks.driftsentry_front;
    assert.doesNotMatch(IPAddress, /^(172\.(1[6-9]|2\d|3[01])|192\.168)\./);
  });

  test('only Caddy is published on all addresses', () => {
    for (const [name, { NetworkSettings }] of Object.entries(containers)) {
      const published = Object.values(NetworkSettings.Ports).flatMap((bindings) => bindings ?? []);
      const wanted = { caddy: '0.0.0.0', 'auth-db': '127.0.0.1', prometheus: '127.0.0.1' }[name];
      assert.deepEqual(published.map(({ HostIp }) => HostIp), wanted ? [wanted] : [], name);
    }
  });

  test('a secret is in no container that does not need it, in no image and in no log', async () => {
    const all = await secrets();
    assert.deepEqual(sorted(Object.keys(all)), sorted(Object.keys(SECRETS)));
    const logs = await compose('logs', '--no-color');
    const images = await docker('image', 'ls', '--quiet', '--filter', 'reference=driftsentry/*');
    const built = `${await docker('image', 'inspect', ...images.split('\n'))}`;
    for (const [secret, value] of Object.entries(all)) {
      const holders = CONTAINERS.filter((name) => JSON.stringify(containers[name]).includes(value));
      assert.deepEqual(sorted(holders), sorted(SECRETS[secret]), secret);
      assert.ok(!logs.includes(value), `${secret} is in a log`);
      assert.ok(!built.includes(value), `${secret} is in an image`);
    }
  });

  test('an image of ours has no shell and runs as a user that is not root', async () => {
    for (const name of SERVICES) {
      await assert.rejects(compose('exec', '-T', name, 'sh', '-c', 'true'), /not found|no such file/i);
      assert.equal(containers[name].Config.User, '65532:65532');
    }
  });
});
