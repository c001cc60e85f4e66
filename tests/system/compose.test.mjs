// Checks docker-compose.yml against the programs that it starts, without Docker.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, readFile, readdir, stat } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';

import { binary, repository } from '../lib/process.mjs';
import { temporaryFolder } from '../lib/servers.mjs';

/** Returns the blocks of a YAML file that are indented by two spaces, as `{name: text}`. */
function blocks(text) {
  const parts = text.split(/^ {2}([\w-]+):.*\n/m).slice(1);
  return Object.fromEntries(parts.flatMap((name, i) => (i % 2 === 0 ? [[name, parts[i + 1]]] : [])));
}

describe('docker-compose.yml', () => {
  let text, folder, env;

  before(async () => {
    text = await readFile(`${repository}/docker-compose.yml`, 'utf8');
    folder = await temporaryFolder();
    await mkdir(`${folder.path}/deploy`);
    await copyFile(`${repository}/deploy/make-env.sh`, `${folder.path}/deploy/make-env.sh`);
    const make = () => execFileSync(`${folder.path}/deploy/make-env.sh`);
    make();
    env = await readFile(`${folder.path}/.env`, 'utf8');
    make();
  });
  after(() => folder?.remove());

  test('make-env.sh creates each required secret once, strong, and readable by its owner only', async () => {
    const secrets = Object.fromEntries(env.trim().split('\n').map((line) => line.split('=')));
    const wanted = new Set([...text.matchAll(/\$\{(\w+):\?/g)].map(([, name]) => name));
    assert.ok(wanted.size > 8);
    for (const name of wanted) assert.match(secrets[name] ?? '', /^[0-9a-f]{64}$/, name);
    const values = [...wanted].map((name) => secrets[name]);
    assert.equal(new Set(values).size, values.length);
    assert.equal(await readFile(`${folder.path}/.env`, 'utf8'), env, 'a second run changes nothing');
    assert.equal((await stat(`${folder.path}/.env`)).mode & 0o777, 0o600);
  });

  test('each variable that it sets is one that the service reads', () => {
    const common = text.match(/x-environment: &environment\n((?: {2}.*\n)+)/)[1];
    const services = blocks(text.slice(text.indexOf('\nservices:')));
    const gateway = services['ws-gateway-1'] + services['ws-gateway-2'];
    // The logging library reads RUST_LOG and OTEL_…. NODE_ENV is another name for APP_ENV.
    const everywhere = ['RUST_LOG', 'NODE_ENV', 'OTEL_EXPORTER_OTLP_ENDPOINT'];
    for (const [name, block] of [
      ['auth-service', common + services['auth-service']],
      ['drift-service', common + services['drift-service']],
      ['notify-service', common + services['notify-service']],
      ['ws-gateway', common + gateway],
    ]) {
      const help = execFileSync(binary(name), ['--help'], { env: {}, encoding: 'utf8' });
      const read = [...help.matchAll(/\[env: (\w+)/g)].map(([, variable]) => variable);
      const given = [...block.matchAll(/^ +([A-Z][A-Z0-9_]+):/gm)].map(([, variable]) => variable);
      assert.ok(given.length > 6, name);
      for (const variable of given) assert.ok([...read, ...everywhere].includes(variable), `${name}: ${variable}`);
    }
  });

  test('one REDIS_PREFIX reaches every service and the permissions of Redis', () => {
    const common = text.match(/x-environment: &environment\n((?: {2}.*\n)+)/)[1];
    const services = blocks(text.slice(text.indexOf('\nservices:')));
    const setting = /^ +REDIS_PREFIX: (.*)$/m;
    assert.equal(common.match(setting)[1], services.redis.match(setting)[1]);
    for (const name of ['auth-service', 'drift-service', 'notify-service', 'ws-gateway-1', 'ws-gateway-2']) {
      assert.match(services[name], /<<: \*(gateway-)?environment$/m, name);
    }
  });

  test('the images are targets of the Dockerfile, and every binary has its health check there', async () => {
    const dockerfile = await readFile(`${repository}/deploy/Dockerfile`, 'utf8');
    for (const [, target] of text.matchAll(/target: ([\w-]+)/g)) {
      assert.match(dockerfile, new RegExp(`^FROM base AS ${target}$`, 'm'));
      assert.match(dockerfile, new RegExp(`^HEALTHCHECK .*/${target}", "healthcheck"\\]$`, 'm'));
      execFileSync(binary(target), ['healthcheck', '--help'], { env: {} });
    }
  });

  test('the gateways have the names and addresses that the Caddyfile and Prometheus know', async () => {
    const caddyfile = await readFile(`${repository}/Caddyfile`, 'utf8');
    const targets = await readFile(`${repository}/deploy/prometheus/targets.yml`, 'utf8');
    const nodes = [...text.matchAll(/GATEWAY_NODE: ([\w-]+)/g)].map(([, node]) => node);
    assert.equal(nodes.length, 2);
    for (const node of nodes) {
      assert.match(text, new RegExp(`^ {2}${node}:$`, 'm'));
      assert.ok(caddyfile.includes(`^${node}\\.`), node);
      for (const file of [caddyfile, targets]) assert.ok(file.includes(`${node}:4004`), node);
    }
  });

  test('Grafana finds the dashboards that are mounted, and they use the data source that is provisioned', async () => {
    const grafana = `${repository}/deploy/grafana`;
    const provider = await readFile(`${grafana}/provisioning/dashboards/driftsentry.yml`, 'utf8');
    const source = await readFile(`${grafana}/provisioning/datasources/prometheus.yml`, 'utf8');
    const block = blocks(text.slice(text.indexOf('\nservices:'))).grafana;
    const [, folder] = provider.match(/path: (.*)/);
    assert.ok(block.includes(`./deploy/grafana/dashboards:${folder}:ro`));
    assert.ok(block.includes('./deploy/grafana/provisioning:/etc/grafana/provisioning:ro'));
    const [, variable] = source.match(/url: \$\{(\w+)\}/);
    assert.match(block, new RegExp(`${variable}: http://prometheus:9090`));
    const [, type] = source.match(/type: (.*)/);
    const [, uid] = source.match(/uid: (.*)/);

    const files = await readdir(`${grafana}/dashboards`);
    assert.ok(block.includes(`${folder}/overview.json`) && files.includes('overview.json'));
    const dashboards = await Promise.all(files.map(async (file) => JSON.parse(await readFile(`${grafana}/dashboards/${file}`))));
    assert.equal(new Set(dashboards.map((dashboard) => dashboard.uid)).size, files.length);
    for (const { title, panels, schemaVersion } of dashboards) {
      assert.ok(schemaVersion > 0 && panels.length > 0, title);
      assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length, title);
      for (const panel of panels) assert.deepEqual(panel.datasource, { type, uid }, `${title}: ${panel.title}`);
    }
  });
});
