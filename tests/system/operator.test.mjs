// `make up-local` and its monitoring: every target is up, and every query of every dashboard and rule returns
// metrics that the services have.

import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';

import { Api, succeeded } from '../lib/api.mjs';
import { Process, repository } from '../lib/process.mjs';
import { PlainClient, StockClient } from '../lib/sockets.mjs';
import { eventually, freePort } from '../lib/waiting.mjs';

const PORTS = ['CADDY', 'AUTH', 'DRIFT', 'NOTIFY', 'GATEWAY_1', 'GATEWAY_2', 'REDIS', 'PROMETHEUS', 'ADMIN'];
/** A query for which no result is the good result. */
const MAY_BE_EMPTY = /^sum by \(alertname, severity\) \(ALERTS/;

/** WebSocket only, because other tests cover polling. */
const WEBSOCKET = { transports: ['websocket'] };

async function dashboardQueries() {
  const folder = `${repository}/deploy/grafana/dashboards`;
  const files = await readdir(folder);
  const dashboards = await Promise.all(files.map(async (file) => JSON.parse(await readFile(`${folder}/${file}`))));
  return dashboards.flatMap(({ title, panels }) =>
    panels.flatMap((panel) => panel.targets.map(({ expr }) => ({ where: `${title} / ${panel.title}`, expr }))),
  );
}

/** Does once everything that happens on a typical day. */
async function traffic(app) {
  const api = new Api({ auth: app.url, drift: app.url });
  const [admin, engineer] = [await api.login('admin'), await api.login('engineer')];
  await api.post('/api/auth/login', { email: 'viewer@driftsentry.local', password: 'not-it-at-all' });
  await api.post('/api/auth/refresh', { refreshToken: engineer.session.refreshToken });
  await api.get('/api/v1/metrics/summary');

  const stock = await StockClient.authorized(app.url, engineer.token, WEBSOCKET);
  const plain = await PlainClient.authorized(app.url, admin.token);
  await stock.ask('subscribe:drifts');
  await StockClient.refusal(app.url, { ...WEBSOCKET, auth: { token: 'no-token-of-ours' } });
  const body = { stack: 'day', resourceId: 'i-1', resourceType: 'aws_instance', region: 'eu-central-1', severity: 'warning' };
  const { data: drift } = succeeded(await engineer.post('/api/v1/drifts', body));
  await stock.event('drift:created');
  succeeded(await engineer.post(`/api/v1/drifts/${drift.id}/approve`, { reason: 'planned' }));
  await engineer.ingest('{}', { stack: 'day' });
  succeeded(await engineer.get('/api/v1/notifications/destinations'));

  // A broken connection and a reconnect: connection state recovery.
  const disconnected = new Promise((resolve) => stock.socket.once('disconnect', resolve));
  stock.socket.io.engine.close();
  await disconnected;
  stock.socket.connect();
  await stock.event('connection.authorized', 2);
  // Too many messages: the first over the limit is dropped.
  for (let i = 0; i < 15; i++) plain.socket.send('{"type":"ping"}');
  await plain.event('rate_limit.warning');
  plain.close();
  // The end of a session closes its sockets.
  succeeded(await engineer.post('/api/auth/logout'));
  await eventually('closed', () => !stock.socket.connected);
  stock.close();
}

describe('make up-local', () => {
  let app, prometheus;

  before(async () => {
    const ports = Object.fromEntries(await Promise.all(PORTS.map(async (name) => [`${name}_PORT`, `${await freePort()}`])));
    const { HOME, TMPDIR } = process.env;
    app = new Process(`${repository}/deploy/local.sh`, [], { ...ports, SKIP_BUILD: '1', HOME, ...(TMPDIR && { TMPDIR }) });
    app.url = `http://localhost:${ports.CADDY_PORT}`;
    prometheus = async (path) => {
      const answer = await (await fetch(`http://localhost:${ports.PROMETHEUS_PORT}/api/v1/${path}`)).json();
      assert.equal(answer.status, 'success', `${path}: ${answer.error}`);
      return answer.data;
    };
    await eventually('up', () => {
      if (!app.running) throw new Error(app.log);
      return app.log.includes(`http://localhost:${ports.PROMETHEUS_PORT}`);
    }, 60_000);
    await traffic(app);
  });
  after(() => app?.stop());

  test('Prometheus shows all targets up', async () => {
    const targets = await eventually('all scraped', async () => {
      const { activeTargets } = await prometheus('targets');
      return activeTargets.length === 6 && activeTargets.every(({ health }) => health !== 'unknown') && activeTargets;
    });
    const jobs = targets.map(({ labels, health }) => `${labels.job} ${health}`).sort();
    const others = ['auth-service up', 'drift-service up', 'notify-service up', 'prometheus up'];
    assert.deepEqual(jobs, [...others, 'ws-gateway up', 'ws-gateway up']);
  });

  test('each query of each dashboard returns data', async () => {
    const queries = await dashboardQueries();
    assert.ok(queries.length > 40);
    const query = async (expr) =>
      (await prometheus(`query?query=${encodeURIComponent(expr.replaceAll('$__rate_interval', '1m'))}`)).result;
    for (const { where, expr } of queries) {
      if (MAY_BE_EMPTY.test(expr)) await query(expr);
      else await eventually(`data for ${where}: ${expr}`, async () => (await query(expr)).length > 0);
    }
  });

  test('each rule works on metrics that exist, and no alert fires in normal operation', async () => {
    const rules = await eventually('all were evaluated', async () => {
      const { groups } = await prometheus('rules');
      const all = groups.flatMap((group) => group.rules);
      return all.length > 15 && all.every(({ health }) => health !== 'unknown') && all;
    });
    const wanted = new Set();
    for (const { name, query, health, lastError } of rules) {
      assert.equal(health, 'ok', `${name}: ${lastError}`);
      const used = query.match(/\b(?:up|(?:auth|notify|ws|http|outbox|backplane|service|process)[_:][a-z0-9_:]+)\b(?=[{[ )]|$)/g) ?? [];
      assert.ok(used.length > 0, `${name}: ${query}`);
      for (const metric of used) wanted.add(metric);
    }
    const missing = async () => {
      const names = await prometheus('label/__name__/values');
      return [...wanted].filter((metric) => !names.includes(metric));
    };
    let absent;
    await eventually(() => `the metrics ${absent}`, async () => (absent = await missing()).length === 0);
    const firing = rules.filter(({ state }) => state === 'firing').map(({ name }) => name);
    assert.deepEqual(firing, []);
  });

  test('it exits with 0 when it is stopped', async () => {
    assert.equal(await app.stop(40_000), 0, app.log);
  });
});
