// What destinations of notifications receive, who may change them, and what becomes of refused deliveries.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';

import { succeeded } from '../lib/api.mjs';
import { allInOne } from '../lib/deployments.mjs';
import { repository } from '../lib/process.mjs';
import { Receiver, createDestination, isAbout, reportDrift } from '../lib/receiver.mjs';
import { eventually } from '../lib/waiting.mjs';

const API = '/api/v1/notifications';
const DRIFTS = { rules: { events: ['drift:*'] } };

describe('destinations of notifications', () => {
  let app, receiver, admin, engineer, viewer;
  before(async () => {
    receiver = await Receiver.start();
    app = await allInOne({ ALLOW_PRIVATE_WEBHOOKS: 'true' });
    [admin, engineer, viewer] = await Promise.all(['admin', 'engineer', 'viewer'].map((role) => app.api.login(role)));
  });
  after(async () => {
    await app?.stop();
    receiver?.stop();
  });

  const webhook = (path, more) => createDestination(admin, { kind: 'webhook', url: receiver.url + path }, more);
  const destination = async ({ id }) => succeeded(await engineer.get(`${API}/destinations/${id}`)).data;
  const deliveries = async ({ id }) => succeeded(await engineer.get(`${API}/deliveries?destination=${id}`)).data;
  const received = (path) => receiver.requests.filter((request) => request.path === path);
  const types = (path) => received(path).map(({ body }) => body.type);
  const position = async () => (await engineer.get('/api/v1/drifts')).headers.get('x-position');

  test('viewers see no destination, engineers read, and admins write s110', async () => {
    const made = await webhook('/roles');
    await reportDrift(engineer);
    await receiver.request('/roles');
    const [delivery] = await eventually('a delivery', async () => (await deliveries(made)).length > 0 && deliveries(made));
    const [one, sent] = [`${API}/destinations/${made.id}`, `${API}/deliveries/${delivery.id}`];
    const preview = { kind: 'slack' };
    const reads = [
      ...['destinations', 'deliveries', 'events'].map((list) => ['get', `${API}/${list}`]),
      ['get', one], ['get', sent], ['post', `${API}/preview`, preview],
    ];
    const writes = [
      ['post', `${API}/destinations`, { name: 'x', target: { kind: 'webhook', url: receiver.url } }],
      ['patch', one, { name: 'x' }], ['delete', one], ['post', `${one}/test`], ['post', `${one}/rotate-secret`],
      ['post', `${one}/replay`, { since: '2026-01-01T00:00:00Z' }], ['post', `${sent}/replay`],
    ];
    for (const [method, path, body] of [...reads, ...writes]) {
      assert.equal((await app.api[method](path, body)).status, 401, `${method} ${path}`);
      assert.equal((await viewer[method](path, body)).status, 403, `${method} ${path}`);
    }
    for (const [method, path, body] of reads) assert.equal((await engineer[method](path, body)).status, 200, path);
    for (const [method, path, body] of writes) assert.equal((await engineer[method](path, body)).status, 403, path);
    assert.equal((await destination(made)).version, 1, 'nothing was changed');
  });

  test('a receiver that is gone switches its destination off, and others hear of it', async () => {
    await webhook('/watch', { rules: { events: ['notification:*'] } });
    const gone = await webhook('/gone');
    receiver.responses['/gone'] = [410];
    await reportDrift(engineer);
    const { body } = await receiver.request('/watch', isAbout(gone));
    assert.deepEqual([body.type, body.data.failure], ['notification:destination_failing', 'status_410']);
    const { isEnabled, health } = await destination(gone);
    assert.deepEqual([isEnabled, health], [false, 'off']);
  });

  test('a receiver that asks for time gets no other delivery before', async () => {
    const busy = await webhook('/busy');
    receiver.responses['/busy'] = [429, { 'retry-after': '3600' }];
    await reportDrift(engineer);
    await eventually('the pause', async () => (await destination(busy)).blockedUntil);
    const second = await reportDrift(engineer);
    const both = await eventually('both', async () => {
      const all = await deliveries(busy);
      return all.length === 2 && all;
    });
    const wait = (await destination(busy)).blockedUntil;
    assert.ok(new Date(wait) - Date.now() > 3_500_000, wait);
    assert.deepEqual(both.map(({ attempts }) => attempts), [0, 1]);
    assert.equal(received('/busy').length, 1);
    // A change of the destination ends the pause.
    delete receiver.responses['/busy'];
    succeeded(await admin.patch(`${API}/destinations/${busy.id}`, { name: 'awake' }));
    await receiver.request('/busy', isAbout(second));
  });

  test('a message that a chat cannot read is given up at once, and sent again on request', async () => {
    const chat = await createDestination(admin, { kind: 'slack', url: `${receiver.url}/chat` });
    receiver.responses['/chat'] = [400];
    await reportDrift(engineer);
    const [dead] = await eventually('given up', async () => {
      const all = await deliveries(chat);
      return all[0]?.status === 'dead' && all;
    });
    assert.deepEqual([dead.attempts, dead.log[0].failure], [1, 'status_400']);
    delete receiver.responses['/chat'];
    succeeded(await admin.post(`${API}/deliveries/${dead.id}/replay`));
    await eventually('delivered', async () => (await deliveries(chat))[0].status === 'delivered');
  });

  test('a scan with new drifts is one message, if the destination wants that', async () => {
    await webhook('/grouped', { schedule: { groupByScan: true } });
    await webhook('/critical', { schedule: { groupByScan: true }, rules: { events: ['drift:created'], minSeverity: 'critical' } });
    const plan = JSON.parse(await readFile(`${repository}/examples/plan.json`, 'utf8'));
    const { data } = succeeded(await engineer.ingest(plan, { stack: 'grouped' }));
    const { body } = await receiver.request('/grouped');
    assert.deepEqual([body.type, body.data.created, body.data.stack], ['scan:stored', data.created, 'grouped']);
    // The next scan finds nothing new, so the next message is about another one.
    succeeded(await engineer.ingest(plan, { stack: 'grouped' }));
    succeeded(await engineer.ingest(plan, { stack: 'another' }));
    assert.ok(body.data.createdCritical > 0, 'the plan has critical drifts');
    for (const path of ['/grouped', '/critical']) {
      await receiver.request(path, (request) => request.body.data.stack === 'another');
      assert.deepEqual(types(path), ['scan:stored', 'scan:stored'], path);
    }
  });

  test('an event that does not change what was sent is left out, if the destination wants that', async () => {
    await webhook('/changes', { ...DRIFTS, schedule: { skipRepeats: true } });
    await webhook('/all', DRIFTS);
    const drift = await reportDrift(engineer);
    succeeded(await engineer.patch(`/api/v1/drifts/${drift.id}`, { ticketUrl: 'https://tickets.example.com/1' }));
    succeeded(await engineer.post(`/api/v1/drifts/${drift.id}/approve`, { reason: 'planned' }));
    for (const path of ['/changes', '/all']) await receiver.request(path, ({ body }) => body.type === 'drift:approved');
    assert.deepEqual(types('/all'), ['drift:created', 'drift:updated', 'drift:approved'], 'in the order of the drift');
    assert.deepEqual(types('/changes'), ['drift:created', 'drift:approved']);
  });

  test('events are sent again from a time or a position, with their ids', async () => {
    const begun = new Date().toISOString();
    const before = await position();
    const replayed = await webhook('/replayed');
    const drift = await reportDrift(engineer);
    const path = `${API}/destinations/${replayed.id}/replay`;
    const delivered = async (times) => {
      await eventually(`${times} times`, () => received('/replayed').filter(isAbout(drift)).length === times);
      await eventually('the result', async () => (await deliveries(replayed)).every(({ status }) => status === 'delivered'));
    };
    await delivered(1);
    assert.equal(succeeded(await admin.post(path, { since: begun })).data.deliveries, 1);
    await delivered(2);
    assert.equal(succeeded(await admin.post(path, { position: before })).data.deliveries, 1);
    await delivered(3);
    assert.equal(new Set(received('/replayed').map(({ headers }) => headers['webhook-id'])).size, 1);
    assert.equal((await admin.post(path, { since: begun, position: before })).status, 400);
  });

  test('a template writes the message, and its preview is what arrives', async () => {
    const template = '*{{ title }}* {{ payload.resourceId }} {{ nothing }}';
    await createDestination(admin, { kind: 'slack', url: `${receiver.url}/written` }, { template });
    const drift = await reportDrift(engineer, { resourceId: '<!channel> & co' });
    const { body } = await receiver.request('/written');
    assert.ok(body.blocks[0].text.text.endsWith('&lt;!channel&gt; &amp; co '), body.blocks[0].text.text);
    const { data: events } = succeeded(await engineer.get(`${API}/events`));
    const eventId = events.find(({ type, title }) => type === 'drift:created' && title.includes(drift.stack)).id;
    const preview = succeeded(await engineer.post(`${API}/preview`, { kind: 'slack', template, eventId }));
    assert.deepEqual(preview.data.message, body);
    const broken = await engineer.post(`${API}/preview`, { kind: 'slack', template: '{% if %}' });
    assert.equal(broken.status, 400);
  });

  test('the events about a user are deleted with the user s110', async () => {
    const users = await webhook('/users', { rules: { events: ['auth:user.registered', 'auth:user.deleted'] } });
    const account = { name: 'Grace', email: 'grace@example.com', password: 'correct horse battery' };
    succeeded(await app.api.post('/api/auth/signup', account));
    const { body } = await receiver.request('/users');
    await eventually('delivered', async () => (await deliveries(users))[0]?.status === 'delivered');
    const { data: events } = succeeded(await engineer.get(`${API}/events`));
    assert.deepEqual(events.filter(({ type }) => type.startsWith('auth:')), [], 'only admins see users');
    succeeded(await admin.delete(`/api/auth/users/${body.data.userId}`));
    await receiver.request('/users', (request) => request.body.type === 'auth:user.deleted');
    const left = (await deliveries(users)).map(({ eventType }) => eventType);
    assert.deepEqual(left, ['auth:user.deleted']);
  });
});
