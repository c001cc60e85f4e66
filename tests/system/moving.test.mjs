// The move from the replaced Node stack, as docs/OPERATIONS.md describes it: import, both stacks behind one Caddy,
// everybody on the new one, and back. A stand-in signs and verifies tokens as the old stack does.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';

import { io } from 'socket.io-client';

import { binary, repository } from '../lib/process.mjs';
import { Postgres } from '../lib/servers.mjs';
import { claims } from '../lib/tokens.mjs';
import { behindCaddy } from './behind_caddy.mjs';
import { startCaddy } from './caddy.mjs';

const run = promisify(execFile);
const SECRET = randomBytes(32).toString('hex');
const ADA = { id: '00000000-0000-4000-8000-000000000001', email: 'ada@example.com', password: 'Correct-Horse-7' };
const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const signature = (text) => createHmac('sha256', SECRET).update(text).digest('base64url');

/** Returns an access token as the old stack signs it. */
function oldToken() {
  const now = Math.floor(Date.now() / 1000);
  const content = { userId: ADA.id, email: ADA.email, role: 'admin', iat: now, exp: now + 900, aud: 'api', iss: 'driftsentry' };
  const signed = `${encoded({ alg: 'HS256', typ: 'JWT' })}.${encoded(content)}`;
  return `${signed}.${signature(signed)}`;
}

/** Starts the stand-in for the old stack: `/api/auth/me` with the checks of its middleware. */
async function startOldStack() {
  const server = createServer((incoming, answer) => {
    const token = incoming.headers.authorization?.replace(/^Bearer /, '') ?? '';
    const [head, content, proof] = token.split('.');
    const isSigned = proof !== undefined && proof === signature(`${head}.${content}`);
    const { userId, aud, iss, exp } = isSigned ? claims(token) : {};
    const isValid = aud === 'api' && iss === 'driftsentry' && exp > Date.now() / 1000;
    answer.statusCode = isValid ? 200 : 401;
    answer.setHeader('Content-Type', 'application/json');
    answer.end(JSON.stringify({ stack: 'old', data: { id: userId } }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.address = `127.0.0.1:${server.address().port}`;
  return server;
}

describe('moving over from the old stack', () => {
  let postgres, source, app, old, environment, token;
  const caddies = [];

  const psql = (...args) => run('psql', ['-q', '-v', 'ON_ERROR_STOP=1', ...args, source]);
  const copyOfOld = async () => (await run('pg_dump', ['--inserts', source])).stdout.replace(/^\\(un)?restrict .*$/gm, '');
  const importInto = (service, name, ...options) =>
    run(binary(name), ['import-legacy', '--from', source, ...options], { env: { PATH: process.env.PATH, ...service.env } });

  /** Starts Caddy with the documented block for the paths of auth; `upstreams` replaces its first line. */
  async function caddyWith(upstreams) {
    const manual = await readFile(`${repository}/docs/OPERATIONS.md`, 'utf8');
    const [, block] = manual.match(/## Coming from the old stack[^]*?```caddyfile\n([^]*?)```/);
    const weighted = block.replace('auth-service:4001 legacy:3000', upstreams);
    assert.notEqual(weighted, block);
    // A policy with weights needs an upstream for each.
    const single = weighted.replace(/lb_policy[^]*?\n\t\t\}\n/, '');
    const wanted = upstreams.includes(' ') ? weighted : single;
    const caddy = await startCaddy(environment, 'Caddyfile', (text) => {
      const changed = text.replace(/\thandle @auth \{[^]*?\n\t\}\n/, wanted.replace(/^/gm, '\t'));
      assert.notEqual(changed, text);
      return changed;
    });
    caddies.push(caddy);
    return caddy;
  }

  /** Calls `/api/auth/me` as a browser without cookies. Returns the stack that responded. */
  async function ask(caddy, bearer) {
    const answer = await fetch(`${caddy.url}/api/auth/me`, { headers: { authorization: `Bearer ${bearer}` } });
    const body = await answer.json();
    assert.equal(answer.status, 200, JSON.stringify(body));
    assert.equal(body.data.id, ADA.id);
    return { stack: body.stack ?? 'new', cookie: answer.headers.get('set-cookie') };
  }

  before(async () => {
    postgres = new Postgres();
    source = await postgres.newDatabase();
    await psql('-f', `${repository}/tests/legacy/schema.sql`, '-f', `${repository}/tests/legacy/rows.sql`);
    app = await behindCaddy({ JWT_ACCESS_SECRET: SECRET, JWT_ACCEPT_LEGACY: 'true' });
    old = await startOldStack();
    const host = ({ url }) => new URL(url).host;
    environment = {
      AUTH_UPSTREAM: host(app.auth),
      DRIFT_UPSTREAM: host(app.drift),
      GATEWAY_1: host(app.gateways[0]),
      GATEWAY_2: host(app.gateways[1]),
    };
  });
  after(async () => {
    await Promise.all(caddies.map((caddy) => caddy.stop()));
    old?.close();
    await app?.stop();
    await postgres?.stop();
  });

  test('each service imports its own rows, and the old database stays as it was', async () => {
    const untouched = await copyOfOld();
    const preview = await importInto(app.auth, 'auth-service', '--dry-run');
    assert.match(preview.stdout, /users: 5 imported, 0 already there[^]*no row is copied/);
    const users = await importInto(app.auth, 'auth-service');
    assert.match(users.stdout, /users: 5 imported, 0 already there/);
    const drifts = await importInto(app.drift, 'drift-service');
    assert.match(drifts.stdout, /drifts: 8 imported, 0 already there/);
    assert.match((await importInto(app.drift, 'drift-service')).stdout, /drifts: 0 imported, 8 already there/);
    assert.equal(await copyOfOld(), untouched);
  });

  test('each stack accepts the tokens of the other', async () => {
    const login = await app.api.post('/api/auth/login', { email: ADA.email, password: ADA.password });
    token = login.data.accessToken;
    const atOld = await fetch(`http://${old.address}/api/auth/me`, { headers: { authorization: `Bearer ${token}` } });
    assert.equal(atOld.status, 200);
    const withOld = app.api.withToken(oldToken());
    assert.equal((await withOld.get('/api/auth/me')).data.email, ADA.email);
    const drifts = await withOld.list('/api/v1/drifts');
    assert.equal(drifts.find(({ resourceId, status }) => resourceId === 'db-1' && status === 'approved').approvedBy, ADA.id);
    const socket = io(app.url, { auth: { token: oldToken() }, forceNew: true });
    await once(socket, 'connection.authorized');
    socket.close();
  });

  test('the documented block sends a tenth of the browsers to the new stack, and they stay there', async () => {
    const caddy = await caddyWith(`${environment.AUTH_UPSTREAM} ${old.address}`);
    const answers = [];
    for (let browser = 0; browser < 20; browser += 1) answers.push(await ask(caddy, browser % 2 ? token : oldToken()));
    assert.equal(answers.filter(({ stack }) => stack === 'new').length, 2);
    for (const { stack, cookie } of answers) {
      const headers = { authorization: `Bearer ${token}`, cookie: cookie.split(';')[0] };
      const body = await (await fetch(`${caddy.url}/api/auth/me`, { headers })).json();
      assert.equal(body.stack ?? 'new', stack);
    }
  });

  test('everybody moves, and everybody goes back', async () => {
    const moved = await caddyWith(environment.AUTH_UPSTREAM);
    for (const bearer of [token, oldToken(), token]) assert.equal((await ask(moved, bearer)).stack, 'new');
    const back = await caddyWith(old.address);
    for (const bearer of [token, oldToken(), token]) assert.equal((await ask(back, bearer)).stack, 'old');
  });
});
