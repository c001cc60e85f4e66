// Attacks over HTTP. Each attack resolves if the deployment withstands it.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

import { succeeded } from '../lib/api.mjs';
import { repository } from '../lib/process.mjs';
import { eventually } from '../lib/waiting.mjs';
import { unique } from './target.mjs';

const times = (count, make) => Promise.all(Array.from({ length: count }, (_, index) => make(index)));

async function templates(target) {
  for (const template of ['{{env "PATH"}}', '{{listFiles "/"}}', '{{now}}', '{{repeat 20000000 "a"}}']) {
    for (const values of [['a', template], [template, 'a'], [template]]) {
      const { text, json } = await target.raw('GET', '/api/nothing-here', { 'X-Request-Id': values });
      assert.match(json.error.requestId, /^[0-9a-f-]{36}$/, text.slice(0, 300));
    }
  }
}

async function loginStarvation(target) {
  const [greedy, other] = [await target.newcomer(), await target.newcomer()];
  const log = ({ email, password }) => target.api.post('/api/auth/login', { email, password });
  let over = false;
  const flood = times(90, async () => {
    while (!over) await log(greedy);
  });
  const statuses = [];
  for (let i = 0; i < 30; i++) statuses.push((await log(other)).status);
  over = true;
  await flood;
  assert.deepEqual(statuses.filter((status) => status !== 200), []);
}

async function refreshFlood(target) {
  const attacker = await target.newcomer();
  let { refreshToken } = attacker.session;
  const statuses = {};
  for (let i = 0; i < 300; i++) {
    const answer = await target.api.post('/api/auth/refresh', { refreshToken });
    statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
    refreshToken = answer.data?.refreshToken ?? refreshToken;
    if (answer.status === 429) {
      assert.ok(Number(answer.headers.get('retry-after')) > 0);
      break;
    }
  }
  assert.equal(statuses[429], 1, `no limit: ${JSON.stringify(statuses)}`);
  assert.equal((await attacker.get('/api/auth/me')).status, 200, 'the session continues');
}

async function failuresFromOneNetwork(target) {
  const { direct } = target;
  const log = (ip, email, password) =>
    fetch(`${direct}/api/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-forwarded-for': ip },
      body: JSON.stringify({ email, password }),
    });
  const statuses = [];
  for (let batch = 0; batch < 12; batch++) {
    const answers = await times(50, (i) =>
      log(`2001:db8:0:${(batch * 50 + i) % 256}::1`, `nobody-${unique()}@example.com`, 'wrong password'),
    );
    statuses.push(...answers.map(({ status }) => status));
  }
  assert.deepEqual([...new Set(statuses)].sort(), [401, 429], 'failures are counted, and the network is limited');
  const { email, password } = await target.newcomer();
  assert.equal((await log('198.51.100.7', email, password)).status, 200);
}

async function readAllOfAnother(target) {
  const [admin, viewer] = [await target.login('admin'), await target.newcomer()];
  const alert = { title: `attack ${unique()}`, message: 'unread', severity: 'critical', type: 'drift_detected' };
  const made = await admin.post('/api/v1/alerts', alert);
  const { id } = succeeded(made).data;
  assert.equal((await viewer.post('/api/v1/alerts/read-all')).status, 200);
  assert.equal(succeeded(await admin.get(`/api/v1/alerts/${id}`)).data.isRead, false);
  succeeded(await admin.delete(`/api/v1/alerts/${id}`));
}

async function tokenOfADemotedAdmin(target) {
  const [admin, creator] = [await target.login('admin'), await target.newcomer()];
  const { id } = creator.session.user;
  const promote = async (role) => succeeded(await admin.patch(`/api/auth/users/${id}`, { role }));
  await promote('admin');
  const { data } = succeeded(await creator.post('/api/auth/tokens', { name: `attack ${unique()}`, role: 'engineer' }));
  const machine = target.api.withToken(data.token);
  const lifetime = Date.parse(data.expiresAt) - Date.now();
  assert.ok(lifetime < 91 * 86_400_000, `a token lives ${lifetime / 86_400_000} days by default`);
  assert.equal((await machine.get('/api/v1/drifts')).status, 200);
  await promote('viewer');
  await eventually('the token to be refused', async () => (await machine.get('/api/v1/drifts')).status === 401);
}

async function timesOutOfRange(target) {
  const engineer = await target.login('engineer');
  for (const time of ['-4800-01-01T00:00:00Z', '-0001-01-01T00:00:00Z', '1969-12-31T23:59:59Z', '+12026-01-01T00:00:00Z']) {
    for (const name of ['detectedFrom', 'detectedTo']) {
      const { status } = await target.api.get(`/api/v1/drifts?${new URLSearchParams({ [name]: time })}`);
      assert.ok([400, 401].includes(status), `${name}=${time}: ${status}`);
      assert.equal((await engineer.get(`/api/v1/drifts?${new URLSearchParams({ [name]: time })}`)).status, 400);
    }
    const plan = { format_version: '1.2', terraform_version: '1.9.0', timestamp: time, resource_drift: [], planned_values: {} };
    const sent = await engineer.ingest(JSON.stringify(plan), { stack: `attack-${unique()}` });
    assert.ok(sent.status >= 400 && sent.status < 500, `a plan of ${time}: ${sent.status}`);
  }
}

async function slowBody(target) {
  const socket = await target.socket();
  let isClosed = false;
  socket.once('close', () => (isClosed = true));
  // A reset closes the connection, too.
  socket.on('error', () => {}).resume();
  const head = 'POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n';
  socket.write(head);
  const drip = setInterval(() => socket.write(' '), 500);
  try {
    await eventually('the connection to close', () => isClosed, ((target.bodySeconds ?? 30) + 10) * 1_000);
  } finally {
    clearInterval(drip);
    socket.destroy();
  }
}

async function readOnlyDatabase(target) {
  const { database } = target;
  const readiness = async () => (await fetch(`${database.service}/ready`)).status;
  await database.readOnly(true);
  try {
    const answer = await target.api.post('/api/auth/login', { email: 'viewer@driftsentry.local', password: 'viewer123' });
    assert.equal(answer.status, 503, answer.text);
    await eventually('the service to report it', async () => (await readiness()) === 503);
  } finally {
    await database.readOnly(false);
  }
  await eventually('the service to be ready again', async () => (await readiness()) === 200);
}

async function commas(target) {
  for (const count of [5_000, 33_000, 70_000]) {
    const { status, json } = await target.raw('GET', `/api/v1/drifts?region=${','.repeat(count)}`);
    assert.ok([400, 414].includes(status), `${count} commas: ${status}`);
    assert.equal(json?.success, false, `${count} commas: no envelope`);
  }
}

async function signUpOracle(target) {
  const { direct } = target;
  const { email } = await target.newcomer();
  const ask = () =>
    fetch(`${direct}/api/auth/signup`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-forwarded-for': '192.0.2.77' },
      body: JSON.stringify({ name: 'Oracle', email, password: `correct horse ${unique()}` }),
    });
  assert.equal((await ask()).status, 409);
  // The limit is 50 per hour (SIGNUP_CONFLICTS_PER_IP).
  for (let asked = 1; asked < 60; asked++) if ((await ask()).status === 429) return;
  assert.fail('60 sign-ups got a response');
}

async function emitWithABadBody(target) {
  const viewer = await target.newcomer();
  for (const body of ['{', '[]', '{"unknown":1}', '']) {
    const { status } = await viewer.post('/api/realtime/emit', body);
    assert.equal(status, 403, body);
  }
}

async function escapesOfThePlan(target) {
  const { commandLine } = target;
  const engineer = await target.login('engineer');
  const plan = JSON.parse(gunzipSync(await readFile(`${repository}/tests/samples/fakeaws_1/plan.json.gz`)));
  const evil = '\u001b]0;owned\u0007\u001b[2Jname\u009b31m';
  for (const entry of plan.resource_drift) {
    entry.address = `${entry.type}.x["${evil}"]`;
    entry.change.after.id = evil;
  }
  const args = ['ingest', '-', '--stack', `attack-${evil}`, '--url', target.url];
  const output = await commandLine(args, JSON.stringify(plan), { DRIFTSENTRY_TOKEN: engineer.token });
  assert.match(output, /critical .*aws_db_instance\.x\["\\u001b\]0;owned\\u0007\\u001b\[2Jname\\u009b31m"\]/, 'the address, escaped');
  assert.doesNotMatch(output, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
}

/** Starts `driftsentry` with a setting that it must refuse, and returns what it prints. */
async function refusedStart(target, environment) {
  const folder = await mkdtemp(join(tmpdir(), 'attack-'));
  const output = await target.commandLine(['--port', '0', '--data-dir', folder], '', environment);
  await rm(folder, { recursive: true });
  return output;
}

async function plaintextToAPublicAddress(target) {
  for (const [name, scheme] of [['DATABASE_URL', 'postgres'], ['REDIS_URL', 'redis']]) {
    const output = await refusedStart(target, { NODE_ENV: 'production', [name]: `${scheme}://user:secret@198.51.100.7/0` });
    assert.match(output, new RegExp(name));
    assert.doesNotMatch(output, /secret@|198\.51/);
  }
}

async function unreadableUrls(target) {
  for (const [name, scheme] of [['DATABASE_URL', 'postgres'], ['REDIS_URL', 'redis']]) {
    const output = await refusedStart(target, { [name]: `${scheme}://user:hunter2/x@localhost:99999/db` });
    assert.match(output, new RegExp(name));
    assert.doesNotMatch(output, /hunter2/);
  }
}

export const httpAttacks = [
  { line: 57, title: 'text of a request is evaluated as a template', attack: templates },
  { line: 59, title: '90 parallel logins of one account keep others out', attack: loginStarvation },
  { line: 60, title: 'refreshes have no limit', attack: refreshFlood },
  { line: 61, title: 'a password is sent in plaintext to a public address', attack: plaintextToAPublicAddress, needs: 'commandLine' },
  { line: 62, title: 'failed logins from one IPv6 network lock everybody out', attack: failuresFromOneNetwork, needs: 'direct' },
  { line: 63, title: 'a viewer marks the alerts of the team as read', attack: readAllOfAnother },
  { line: 64, title: 'a service token outlives the rights of its creator', attack: tokenOfADemotedAdmin },
  { line: 67, title: 'times before 1970 and after 9999 are accepted', attack: timesOutOfRange },
  { line: 68, title: 'a database URL that cannot be read is printed', attack: unreadableUrls, needs: 'commandLine' },
  { line: 69, title: 'a body that never ends keeps its connection', attack: slowBody },
  { line: 70, title: 'a read-only database looks healthy', attack: readOnlyDatabase, needs: 'database' },
  { line: 72, title: 'a list parameter with 33,000 commas is parsed', attack: commas },
  { line: 74, title: 'sign-up reveals without a limit which addresses have an account', attack: signUpOracle, needs: 'direct' },
  { line: 76, title: 'terminal escapes in a plan reach the terminal', attack: escapesOfThePlan, needs: 'commandLine' },
  { line: 79, title: 'a wrong clock expires the marks of others', heldBy: 'a_wrong_clock_expires_no_mark_of_another_process_s79' },
  { line: 80, title: 'a panic leaves a process that receives no events', heldBy: 'a_vital_task_that_panics_stops_the_process' },
  { line: 85, title: 'idempotency keys of a viewer fill the database', heldBy: 'invented_idempotency_keys_do_not_grow_the_table_s85' },
  { line: 87, title: 'a bad body is reported before a missing role', attack: emitWithABadBody },
];
