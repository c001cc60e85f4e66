// The main job through Caddy in containers, and what happens to it when containers are killed, stopped and restarted.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';

import { Api, succeeded } from '../lib/api.mjs';
import { repository } from '../lib/process.mjs';
import { sample } from '../lib/samples.mjs';
import { temporaryFolder } from '../lib/servers.mjs';
import { PlainClient, StockClient } from '../lib/sockets.mjs';
import { eventually } from '../lib/waiting.mjs';
import { CONTAINERS, SERVICES, ORIGIN, api, compose, docker, inspect, line, reaches, up } from './docker.mjs';

const PLAN = 'fakeaws_20/scan1.plan.json';
const password = randomBytes(12).toString('hex');
const people = { admin: 'boss@example.com', engineer: 'ada@example.com' };
const WEBSOCKET = { transports: ['websocket'] };

async function login(email) {
  const { data } = succeeded(await api().post('/api/auth/login', { email, password }));
  return Object.assign(api().withToken(data.accessToken), { session: data });
}

const documented = async (pattern) => (await readFile(`${repository}/docs/OPERATIONS.md`, 'utf8')).match(pattern);

/** Waits until a request through Caddy succeeds again, such as after a restart. */
const again = (what, attempt) => eventually(what, () => attempt().catch(() => null), 60_000);

/** Kills the first process of a container, and waits until Docker has restarted it and it is healthy. */
async function killed(service) {
  const { State, RestartCount } = await inspect(service);
  process.kill(State.Pid, 'SIGKILL');
  await eventually(`${service} to restart`, async () => {
    const now = await inspect(service);
    return now.RestartCount > RestartCount && now.State.Running;
  }, 60_000);
  await reaches(service, 'healthy');
}

/** Connects a stock client that gets the events of drifts. */
async function follow(engineer, options = WEBSOCKET) {
  const client = await StockClient.authorized(ORIGIN, engineer.token, options);
  await client.ask('subscribe:drifts');
  return client;
}

/** Approves an open drift, and waits until the client has received the event. */
async function decide(engineer, client) {
  const open = (await engineer.list('/api/v1/drifts')).filter(({ allowed }) => allowed.includes('approve'));
  const before = client.of('drift:approved').length;
  const approved = await engineer.post(`/api/v1/drifts/${open[0].id}/approve`, { reason: 'as planned' });
  assert.equal(succeeded(approved).data.status, 'approved');
  await client.event('drift:approved', before + 1);
  assert.equal(client.of('drift:approved').at(-1).id, open[0].id);
}

describe('docker-compose.yml in containers', () => {
  before(async () => {
    await compose('down', '--volumes');
    await up();
  });

  test('an admin is created in a container, and creates an engineer; strangers cannot sign up', async () => {
    const [, create] = await documented(/`(docker compose run [^`]*create-admin[^`]*)`/);
    await line(create.replace('you@example.com', people.admin), `${password}\n`);
    const body = { name: 'Ada', email: people.engineer, password };
    assert.equal((await api().post('/api/auth/signup', body)).status, 403);
    const admin = await login(people.admin);
    succeeded(await admin.post('/api/auth/users', { ...body, role: 'engineer' }));
  });

  test('a scan becomes drifts, a decision becomes an event, and a logout closes the socket', async () => {
    const engineer = await login(people.engineer);
    const stock = await follow(engineer, {});
    const plain = await PlainClient.authorized(ORIGIN, engineer.token);
    await plain.ask({ type: 'subscribe', room: 'drifts' });
    const { data: counts } = succeeded(await engineer.ingest(await sample(PLAN), { stack: 'demo' }));
    assert.equal(counts.created, 20);
    await stock.event('drift:created', 20);
    await plain.event('drift:created', 20);
    await decide(engineer, stock);
    await plain.event('drift:approved');

    succeeded(await engineer.post('/api/auth/logout'));
    await eventually('both sockets to close', () => !stock.socket.connected && plain.socket.readyState === plain.socket.CLOSED);
    assert.equal((await engineer.get('/api/auth/me')).status, 401);
    stock.close();
  });

  test('long polling stays on one gateway, with stock clients that send no cookies', async () => {
    const engineer = await login(people.engineer);
    const clients = await Promise.all(
      Array.from({ length: 6 }, () => follow(engineer, { transports: ['polling'] })),
    );
    const nodes = new Set(clients.map(({ socket }) => socket.io.engine.id.split('.')[0]));
    assert.deepEqual([...nodes].sort(), ['ws-gateway-1', 'ws-gateway-2']);
    await decide(engineer, clients[0]);
    for (const client of clients) {
      await client.event('drift:approved');
      client.close();
    }
  });

  test('the console is served, and an address that a client claims is not believed', async () => {
    const page = await fetch(ORIGIN);
    assert.equal(page.status, 200);
    assert.match(page.headers.get('content-security-policy'), /script-src 'self'/);
    assert.match(await page.text(), /DriftSentry/);
    const body = { email: people.engineer, password };
    const { data } = succeeded(await api().post('/api/auth/login', body, { 'x-forwarded-for': '203.0.113.66' }));
    const { data: sessions } = succeeded(await api().withToken(data.accessToken).get('/api/auth/sessions'));
    const { ipAddress } = sessions.find(({ current }) => current);
    assert.match(ipAddress, /^10\.229\.8\.1$/, 'the address of the network, which is the client of Caddy');
  });

  test('Prometheus reaches every service', async () => {
    const targets = await eventually('all targets to be up', async () => {
      const response = await fetch('http://localhost:9090/api/v1/targets');
      const { data } = await response.json();
      const all = data.activeTargets.map(({ scrapeUrl, health }) => `${new URL(scrapeUrl).host} ${health}`);
      return all.length >= SERVICES.length && all.every((line) => line.endsWith(' up')) && all;
    }, 60_000);
    for (const name of SERVICES) assert.ok(targets.some((line) => line.startsWith(`${name}:`)), `${name}: ${targets}`);
  });

  for (const name of CONTAINERS) {
    test(`after ${name} is killed, it restarts by itself and the main job works, with the same data`, async () => {
      const engineer = await login(people.engineer);
      const before = (await engineer.list('/api/v1/drifts')).length;
      const client = await follow(engineer, { ...WEBSOCKET, reconnection: true });
      await killed(name);
      await again('a request', () => engineer.get('/api/v1/drifts').then(succeeded));
      await again('the session', () => engineer.get('/api/auth/me').then(succeeded));
      await eventually('the socket', () => client.socket.connected, 60_000);
      await client.ask('subscribe:drifts');
      assert.equal((await engineer.list('/api/v1/drifts')).length, before);
      await decide(engineer, client);
      client.close();
    });
  }

  test('a service whose database stops responding becomes unhealthy, and recovers', async () => {
    await docker('pause', (await inspect('auth-db')).Id);
    await reaches('auth-service', 'unhealthy');
    await docker('unpause', (await inspect('auth-db')).Id);
    await reaches('auth-service', 'healthy');
    await again('a login', () => login(people.engineer));
  });

  test('a gateway with open sockets stops in time, and its clients move to the other one', async () => {
    const engineer = await login(people.engineer);
    const options = { ...WEBSOCKET, reconnection: true };
    const clients = await Promise.all(Array.from({ length: 10 }, () => follow(engineer, options)));
    await compose('stop', 'ws-gateway-1');
    assert.equal((await inspect('ws-gateway-1')).State.ExitCode, 0);
    await eventually('the clients to reconnect', () =>
      clients.every(({ socket }) => socket.connected && socket.io.engine.id.startsWith('ws-gateway-2.')), 60_000);
    await clients[0].ask('subscribe:drifts');
    await decide(engineer, clients[0]);
    for (const client of clients) client.close();
    await compose('start', 'ws-gateway-1');
    await reaches('ws-gateway-1', 'healthy');
  });

  test('a reload of the Caddyfile closes no socket', async () => {
    const engineer = await login(people.engineer);
    const client = await follow(engineer);
    await compose('exec', '-T', 'caddy', 'caddy', 'reload', '--config', '/etc/caddy/Caddyfile', '--force');
    await decide(engineer, client);
    assert.ok(client.socket.connected);
    client.close();
  });

  test('a backup as OPERATIONS describes it can be restored', async () => {
    const [, dump] = await documented(/^(docker compose exec -T drift-db pg_dump .*) > drift\.dump$/m);
    const [, restore] = await documented(/`(docker compose exec -T auth-db pg_restore .*) < auth\.dump`/);
    const folder = await temporaryFolder();
    const engineer = await login(people.engineer);
    const drifts = await engineer.list('/api/v1/drifts');
    await line(`${dump} > ${folder.path}/drift.dump`);
    succeeded(await engineer.ingest(await sample(PLAN), { stack: 'after the backup' }));
    await compose('stop', 'drift-service');
    await line(`${restore.replaceAll('auth', 'drift')} < ${folder.path}/drift.dump`);
    await compose('start', 'drift-service');
    await reaches('drift-service', 'healthy');
    assert.deepEqual(await again('the list', () => engineer.list('/api/v1/drifts')), drifts);
    await folder.remove();
  });

  test('every container stops in time with 0, and the data is there after down and up', async () => {
    const engineer = await login(people.engineer);
    const before = await engineer.list('/api/v1/drifts');
    // Requests that wait, which Caddy and the gateways have to end.
    const polling = await follow(engineer, { transports: ['polling'] });
    const socket = await follow(engineer);
    await compose('stop');
    for (const name of CONTAINERS) {
      const { State } = await inspect(name);
      assert.deepEqual([name, State.ExitCode, State.OOMKilled], [name, 0, false]);
    }
    polling.close();
    socket.close();
    await compose('down');
    await up();
    const returned = await login(people.engineer);
    assert.deepEqual(await returned.list('/api/v1/drifts'), before);
  });
});

describe('the container with everything in it', () => {
  after(() => compose('--profile', 'dev', 'rm', '--stop', '--force', 'driftsentry'));

  test('it serves demo users on this machine only, and keeps its data in a volume', async () => {
    const start = () => compose('--profile', 'dev', 'up', '--detach', '--wait', '--wait-timeout', '120', 'driftsentry');
    await start();
    const url = 'http://127.0.0.1:3001';
    const all = new Api({ auth: url, drift: url });
    const engineer = await all.login('engineer');
    succeeded(await engineer.ingest(await sample(PLAN), { stack: 'demo' }));
    const container = await inspect('driftsentry');
    assert.equal(container.HostConfig.ReadonlyRootfs, true);
    assert.deepEqual(container.HostConfig.CapDrop, ['ALL']);
    assert.deepEqual(container.HostConfig.PortBindings['3001/tcp'].map(({ HostIp }) => HostIp), ['127.0.0.1']);
    await compose('--profile', 'dev', 'rm', '--stop', '--force', 'driftsentry');
    await start();
    assert.equal((await (await all.login('engineer')).list('/api/v1/drifts')).length, 20);
  });
});

describe('the image of Caddy with the console', () => {
  let container;
  after(() => container && docker('rm', '--force', container));

  test('it runs as Kubernetes runs it: a user that is not root, a read-only root, no gain of privileges', async () => {
    const image = await docker('build', '--quiet', '--network', 'host', '--file', 'deploy/Dockerfile', '--target', 'caddy', '.');
    container = await docker(
      'run', '--detach', '--read-only', '--user', '65532', '--cap-drop', 'ALL', '--cap-add', 'NET_BIND_SERVICE',
      '--security-opt', 'no-new-privileges:true', '--tmpfs', '/tmp', '--env', 'XDG_DATA_HOME=/tmp',
      '--env', 'XDG_CONFIG_HOME=/tmp', '--env', 'EDGE_TRUSTED_PROXIES=10.0.0.0/8', '--publish', '127.0.0.1:8090:8080',
      '--volume', `${repository}/deploy/k8s/base/Caddyfile:/etc/caddy/Caddyfile:ro`,
      image, 'caddy', 'run', '--config', '/etc/caddy/Caddyfile',
    );
    const health = await again('its health', () => fetch('http://127.0.0.1:8090/health'));
    assert.equal(health.status, 200);
    assert.match(await (await fetch('http://127.0.0.1:8090/')).text(), /DriftSentry/);
  });
});
