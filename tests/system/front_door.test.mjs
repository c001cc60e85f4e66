// The Caddyfile alone, before upstreams that return the requests that reach them.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';

import WebSocket, { WebSocketServer } from 'ws';

import { eventually } from '../lib/waiting.mjs';
import { startCaddy } from './caddy.mjs';

/** Starts an upstream that responds with its name and the received request. */
async function startEcho(name) {
  const server = createServer((incoming, answer) => {
    if (incoming.url === '/ready') {
      answer.statusCode = server.isDraining ? 503 : 200;
      return answer.end();
    }
    const { method, url, headers } = incoming;
    answer.setHeader('Server', 'echo/1.0');
    answer.setHeader('Content-Type', 'application/json');
    answer.end(JSON.stringify({ name, method, url, headers }));
  });
  new WebSocketServer({ server, handleProtocols: () => 'driftsentry.v1' });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.address = `127.0.0.1:${server.address().port}`;
  return server;
}

function stopEcho(server) {
  server.closeAllConnections();
  server.close();
}

/** Checks that no header and no path makes Caddy evaluate text of the request. */
async function refusesTemplates(caddy) {
  const templates = [
    '{{env "CANARY"}}',
    '{{listFiles "/"}}',
    '{{readFile "/etc/passwd"}}',
    '{{httpInclude "/health"}}',
    '{{placeholder "env.CANARY"}}',
    '{env.CANARY}',
    '{{repeat 20000000 "a"}}',
  ];
  const { hostname, port } = new URL(caddy.url);
  const ask = async (path, headers) => {
    const sent = request({ hostname, port, path, headers }).end();
    const [answer] = await once(sent, 'response');
    answer.setEncoding('utf8');
    const body = (await answer.toArray()).join('');
    return { body, error: JSON.parse(body).error };
  };
  for (const template of templates) {
    const attempts = [
      ['/nothing', { 'X-Request-Id': ['a', template] }],
      ['/nothing', { 'X-Request-Id': [template, 'a'] }],
      ['/nothing', { 'X-Request-Id': template }],
      [`/nothing/${encodeURIComponent(template)}?q=${encodeURIComponent(template)}`, {}],
      ...['Traceparent', 'User-Agent', 'Origin', 'Referer', 'Cookie', 'Authorization', 'Accept', 'X-Forwarded-For', 'Content-Type'].map(
        (name) => ['/nothing', { [name]: ['a', template] }],
      ),
    ];
    for (const [path, headers] of attempts) {
      const { body, error } = await ask(path, headers);
      const attempt = `${path} ${JSON.stringify(headers)}`;
      assert.equal(error.code, 'NOT_FOUND', attempt);
      assert.match(error.requestId, /^[0-9a-f-]{36}$/, attempt);
      assert.ok(body.length < 500 && !body.includes('canary'), `${attempt}: ${body.slice(0, 500)}`);
    }
  }
  const { error } = await ask('/nothing', { 'X-Request-Id': ['a', 'b'] });
  assert.match(error.requestId, /^[0-9a-f-]{36}$/, 'two ids are none');
  assert.equal((await ask('/nothing', { 'X-Request-Id': 'mine-2' })).error.requestId, 'mine-2');
}

/** Checks that an error of Caddy's own arrives while the body of its request is outstanding. */
async function respondsBeforeTheBody(caddy) {
  const { hostname, port } = new URL(caddy.url);
  for (const [head, status] of [
    [`POST /api/v1/drifts?region=${','.repeat(17_000)}`, 414],
    ['POST /nothing', 404],
    ['POST /health', 404],
    ['GET /nothing', 404],
  ]) {
    const socket = connect(Number(port), hostname);
    let heard = '';
    socket.setEncoding('utf8').on('data', (text) => (heard += text));
    socket.write(`${head} HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\nthe rest never follows`);
    await eventually(`the response to ${head.slice(0, 40)}`, () => heard.endsWith('}}')).finally(() => socket.destroy());
    assert.match(heard, new RegExp(`^HTTP/1.1 ${status} [^]*\r\nConnection: close\r\n`));
  }
}

/** Checks that Caddy waits for the slowest scan that drift-service accepts (docs/API.md, `REQUEST_TIMEOUT`). */
function waitsForSlowScans(caddy) {
  const seconds = 30 + (32 * 1024) / 64;
  const servers = Object.values(caddy.config().apps.http.servers);
  assert.ok(servers.length > 0);
  for (const server of servers) assert.ok(server.read_timeout > seconds * 1e9, `${server.read_timeout / 1e9} s`);
}

describe('the front door', () => {
  const names = ['auth', 'drift', 'notify', 'ws-gateway-1', 'ws-gateway-2'];
  let upstreams, caddy;

  before(async () => {
    upstreams = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await startEcho(name)])));
    caddy = await startCaddy({
      ...Object.fromEntries(names.slice(0, 3).map((name) => [`${name.toUpperCase()}_UPSTREAM`, upstreams[name].address])),
      GATEWAY_1: upstreams['ws-gateway-1'].address,
      GATEWAY_2: upstreams['ws-gateway-2'].address,
      CANARY: 'canary-of-the-environment',
    });
  });
  after(async () => {
    await caddy?.stop();
    for (const upstream of Object.values(upstreams ?? {})) stopEcho(upstream);
  });

  const reached = async (path, options) => (await fetch(`${caddy.url}${path}`, options)).json();

  test('each path goes to its service', async () => {
    const expected = {
      '/api/auth/login': 'auth',
      '/api/v1/auth/me': 'auth',
      '/api/v1/users/me': 'auth',
      '/api/v1/drifts?limit=2': 'drift',
      '/health/live': 'drift',
      '/health/ready': 'drift',
      '/api/v1/metrics/summary': 'drift',
      '/api/v1/notifications/destinations?x=1': 'notify',
    };
    for (const [path, name] of Object.entries(expected)) {
      const seen = await reached(path);
      assert.deepEqual([seen.name, seen.url], [name, path]);
    }
    for (const path of ['/socket.io/?EIO=4&transport=polling', '/ws', '/api/realtime/stats']) {
      assert.match((await reached(path)).name, /^ws-gateway-/);
    }
    for (const path of ['/metrics', '/ready', '/health/detailed', '/socket.iox', '/wsx', '/.git/config']) {
      const answer = await fetch(`${caddy.url}${path}`);
      const { error } = await answer.json();
      assert.deepEqual([answer.status, error.code], [404, 'NOT_FOUND'], path);
    }
  });

  test('the requests of a session go to the gateway that its id names, without cookies', async () => {
    for (const name of ['ws-gateway-1', 'ws-gateway-2']) {
      for (let i = 0; i < 10; i++) {
        assert.equal((await reached(`/socket.io/?EIO=4&transport=polling&sid=${name}.x${i}`)).name, name);
      }
    }
  });

  test('requests without a session id, or of an unknown gateway, are spread over all gateways', async () => {
    for (const query of ['', '&sid=x', '&sid=ws-gateway-9.x', '&sid=ws-gateway-1x', `&sid=evil.example:80%2F`]) {
      const names = new Set();
      await eventually(`both gateways for ${query}`, async () => {
        names.add((await reached(`/socket.io/?EIO=4&transport=polling${query}`)).name);
        return names.size === 2;
      });
    }
  });

  test('no claim of a client about its address or scheme reaches a service s43', async () => {
    const forged = {
      'X-Forwarded-For': '6.6.6.6',
      'X-Forwarded-Proto': 'https',
      'X-Forwarded-Host': 'evil.example',
      'X-Forwarded-Prefix': '/evil',
      'X-Real-IP': '6.6.6.6',
      'X-Client-IP': '6.6.6.6',
      Forwarded: 'for=6.6.6.6',
    };
    const { headers } = await reached('/api/v1/drifts', { headers: forged });
    assert.equal(headers['x-forwarded-for'], '127.0.0.1');
    assert.doesNotMatch(JSON.stringify(headers), /6\.6\.6\.6|evil/);
    assert.equal(headers['x-forwarded-proto'], 'http');
  });

  test('responses do not name the software behind them, and have the security headers', async () => {
    for (const path of ['/api/v1/drifts', '/health', '/nothing']) {
      const { headers } = await fetch(`${caddy.url}${path}`);
      assert.equal(headers.get('server'), null, path);
      assert.equal(headers.get('via'), null, path);
      assert.equal(headers.get('x-content-type-options'), 'nosniff', path);
      assert.equal(headers.get('referrer-policy'), 'no-referrer', path);
      assert.equal(headers.get('strict-transport-security'), null, 'there is no TLS here');
    }
  });

  test('a request has one id at the edge and behind it', async () => {
    const given = await reached('/api/v1/drifts', { headers: { 'X-Request-Id': 'mine-1' } });
    assert.equal(given.headers['x-request-id'], 'mine-1');
    const made = await reached('/api/v1/drifts', { headers: { 'X-Request-Id': '{{env "HOME"}} "x"' } });
    assert.match(made.headers['x-request-id'], /^[0-9a-f-]{36}$/);
    await eventually('both in the access log', () =>
      [given, made].every(({ headers }) => caddy.log.includes(`"requestId":"${headers['x-request-id']}"`)),
    );
  });

  test('text of a request is never evaluated as a template s57', () => refusesTemplates(caddy));

  test('no token is in a log of Caddy, whichever way it arrived s13', async () => {
    const before = caddy.log.length;
    const secret = 'eyJhbGciOiJIUzI1NiJ9.canary.canary';
    const headers = { Authorization: `Bearer ${secret}`, Cookie: `refresh_token=${secret}`, Referer: `/?token=${secret}` };
    await reached(`/socket.io/?EIO=4&transport=polling&token=${secret}`, { headers });
    const socket = new WebSocket(`${caddy.url}/ws?token=${secret}`, ['driftsentry.v1', `bearer.${secret}`]);
    await once(socket, 'open');
    socket.terminate();
    await eventually('the lines', () => caddy.log.slice(before).split('"uri":"/').length > 2);
    assert.ok(!caddy.log.includes('canary'), caddy.log.slice(before));
  });

  test('a URL that is too long gets the envelope, and a short line in the log s72', async () => {
    const before = caddy.log.length;
    for (const path of [`/api/v1/drifts?region=${','.repeat(33_000)}`, `/${'a'.repeat(200_000)}`]) {
      const answer = await fetch(`${caddy.url}${path}`);
      const { success, error } = await answer.json();
      assert.deepEqual([success, error.code], [false, 'VALIDATION_ERROR']);
    }
    await eventually('the lines', () => caddy.log.slice(before).split('"status":414').length === 3);
    assert.ok(caddy.log.slice(before).length < 20_000);
  });

  test('an error arrives although the body of the request does not', () => respondsBeforeTheBody(caddy));

  test('a scan at the slowest accepted rate has the time to arrive', () => waitsForSlowScans(caddy));

  test('reloading the Caddyfile closes no socket', async () => {
    const socket = new WebSocket(`${caddy.url}/ws`, ['driftsentry.v1']);
    await once(socket, 'open');
    caddy.reload();
    // The client may have tried an idle connection that the reload closed.
    await eventually('answers', async () => (await fetch(`${caddy.url}/health`).catch(() => null))?.ok);
    socket.ping();
    await once(socket, 'pong');
    socket.terminate();
  });

  test('a stopping gateway gets no new sessions, but serves its open ones', async () => {
    upstreams['ws-gateway-1'].isDraining = true;
    let fresh = 0;
    await eventually('twenty sessions in a row for the other', async () => {
      const { name } = await reached('/socket.io/?EIO=4&transport=polling');
      fresh = name === 'ws-gateway-2' ? fresh + 1 : 0;
      return fresh === 20;
    });
    assert.equal((await reached('/socket.io/?EIO=4&transport=polling&sid=ws-gateway-1.x')).name, 'ws-gateway-1');
  });

  test('a dead gateway is skipped, and a dead service gives UNAVAILABLE without a token in it', async () => {
    stopEcho(upstreams['ws-gateway-1']);
    for (let i = 0; i < 10; i++) {
      assert.equal((await reached('/socket.io/?EIO=4&transport=polling')).name, 'ws-gateway-2');
      assert.equal((await reached('/socket.io/?EIO=4&transport=polling&sid=ws-gateway-1.x')).name, 'ws-gateway-2');
    }
    stopEcho(upstreams.drift);
    const answer = await fetch(`${caddy.url}/api/v1/drifts?token=canary`, { headers: { 'X-Request-Id': 'r1' } });
    assert.equal(answer.status, 503);
    assert.equal(answer.headers.get('retry-after'), '1');
    const { success, error } = await answer.json();
    assert.equal(success, false);
    assert.equal(error.code, 'UNAVAILABLE');
    assert.equal(error.requestId, 'r1');
    assert.ok(Date.parse(error.timestamp) > Date.now() - 60_000);
    await eventually('the error in the log', () => caddy.log.includes('"status":503'));
    assert.ok(!caddy.log.includes('canary'));
  });

  test('an unusual path does not lead out of the console folder', async () => {
    const { hostname, port } = new URL(caddy.url);
    for (const path of ['/../Cargo.toml', '/%2e%2e/Cargo.toml', '/..%2fCargo.toml']) {
      const sent = request({ hostname, port, path }).end();
      const [answer] = await once(sent, 'response');
      answer.resume();
      assert.ok(answer.statusCode >= 400, `${path}: ${answer.statusCode}`);
    }
  });
});

describe('the front door in Kubernetes', () => {
  let caddy;
  before(async () => {
    caddy = await startCaddy({ CANARY: 'canary-of-the-environment' }, 'deploy/k8s/base/Caddyfile');
  });
  after(() => caddy?.stop());

  test('text of a request is never evaluated as a template in Kubernetes s57', () => refusesTemplates(caddy));

  test('an error arrives although the body of the request does not', () => respondsBeforeTheBody(caddy));

  test('a scan at the slowest accepted rate has the time to arrive', () => waitsForSlowScans(caddy));
});
