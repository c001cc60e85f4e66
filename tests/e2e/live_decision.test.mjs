// The main job: a Terraform plan becomes drifts, an engineer decides, and everybody sees the decision live.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { succeeded } from '../lib/api.mjs';
import { allInOne, split } from '../lib/deployments.mjs';
import { sample } from '../lib/samples.mjs';
import { StockClient, audience } from '../lib/sockets.mjs';
import { claims, resigned } from '../lib/tokens.mjs';
import { eventually } from '../lib/waiting.mjs';

const PLAN = 'fakeaws_20/scan1.plan.json';
const sorted = (values) => [...values].sort();
/** The fields that each event about a drift has. */
const SUBJECT = 'address fingerprint id resourceId resourceType severity stack status'.split(' ');
const CREATED_FIELDS = sorted([...SUBJECT, 'costImpactMonthly', 'detectedAt', 'region', 'version']);
const APPROVED_FIELDS = sorted([...SUBJECT, 'approvedAt', 'approvedBy']);
const keys = (object) => sorted(Object.keys(object));

for (const [name, start] of Object.entries({ 'all in one': allInOne, split })) {
  let app;

  describe(`a live decision, ${name}`, () => {
    before(async () => (app = await start()));
    after(async () => {
      const codes = await app?.stop();
      assert.ok(codes.every((code) => code === 0), `every process ends with 0 on SIGTERM: ${codes}`);
    });

    test('a socket without a valid token is refused with the reason', async () => {
      const { token } = await app.api.login('viewer');
      const now = Math.floor(Date.now() / 1000);
      const expired = resigned(token, { iat: now - 1000, exp: now - 60 }, app.accessSecret);
      const forged = resigned(token, { role: 'admin' }, 'the secret of another system, of thirty-two bytes or more');
      for (const url of app.socketOrigins) {
        for (const [auth, code] of [
          [{}, 'MISSING_TOKEN'],
          [{ token: expired }, 'TOKEN_EXPIRED'],
          [{ token: forged }, 'INVALID_TOKEN'],
        ]) {
          const root = await StockClient.refusal(url, { auth });
          assert.equal(root.data.code, code);
          const dashboard = await StockClient.refusal(`${url}/dashboard`, { auth });
          assert.equal(dashboard.data.code, 'AUTH_FAILED');
          assert.equal(dashboard.data.reason, code);
        }
        assert.equal((await StockClient.refusal(`${url}/elsewhere`, { auth: { token } })).message, 'Invalid namespace');
      }
    });

    test('a plan becomes drifts, and a decision becomes an event, for every client on every gateway', async () => {
      const engineer = await app.api.login('engineer');
      const callers = [engineer, await app.api.login('viewer')];
      const clients = await audience(app.socketOrigins, callers);
      const [{ client: root }] = clients;
      const [authorized] = root.of('connection.authorized');
      assert.equal(authorized.userId, claims(engineer.token).userId);
      assert.equal(authorized.sessionId, root.socket.id);
      assert.equal(authorized.sid, claims(engineer.token).sid);

      const { data: counts } = succeeded(await engineer.ingest(await sample(PLAN), { stack: 'demo' }));
      assert.equal(counts.created, 20);

      const drifts = await engineer.list('/api/v1/drifts');
      assert.equal(drifts.length, 20);
      const [chosen] = drifts;
      const decision = await engineer.post(`/api/v1/drifts/${chosen.id}/approve`, { reason: 'as planned' });
      assert.equal(succeeded(decision).data.status, 'approved');

      for (const { client, payload } of clients) {
        const approved = (await client.event('drift:approved')).map(payload);
        assert.deepEqual(approved.map(({ id, status }) => ({ id, status })), [{ id: chosen.id, status: 'approved' }]);
        assert.deepEqual(keys(approved[0]), APPROVED_FIELDS);

        const created = client.of('drift:created').map(payload);
        assert.deepEqual(sorted(created.map(({ id }) => id)), sorted(drifts.map(({ id }) => id)), 'once each');
        for (const drift of created) assert.deepEqual(keys(drift), CREATED_FIELDS);

        await client.event('alert:created', drifts.filter(({ severity }) => severity === 'critical').length);
        client.close();
      }
    });

    test('everybody may read the drifts, and only engineers their redacted states', async () => {
      const engineer = await app.api.login('engineer');
      const [seen] = (await engineer.list('/api/v1/drifts')).filter(({ resourceType }) => resourceType === 'aws_db_instance');
      const { data: full } = succeeded(await engineer.get(`/api/v1/drifts/${seen.id}`));
      assert.equal(full.actualState.password, '(sensitive value)');
      assert.equal(full.expectedState.password, '(sensitive value)');
      const { data: open } = succeeded(await app.api.get(`/api/v1/drifts/${seen.id}`));
      assert.equal(open.resourceId, seen.resourceId);
      assert.equal(open.actualState ?? null, null);
      assert.equal(open.expectedState ?? null, null);
      assert.equal(succeeded(await app.api.get('/api/v1/metrics/summary')).data.total, 20);
    });

    test('bad input is refused in the envelope and changes nothing', async () => {
      const engineer = await app.api.login('engineer');
      const viewer = await app.api.login('viewer');
      const before = await engineer.list('/api/v1/drifts');
      const open = before.find(({ status }) => status === 'detected');
      const approve = (caller) => caller.post(`/api/v1/drifts/${open.id}/approve`, { reason: 'because' });
      const ingest = (body) => engineer.ingest(body, { stack: 'bad' });

      for (const [status, code, answer] of [
        [400, 'VALIDATION_ERROR', await ingest('{"format_version":')],
        [422, 'UNPROCESSABLE', await ingest(await sample('edge/state_not_a_plan.json'))],
        [422, 'UNPROCESSABLE', await ingest('Terraform will perform the following actions:')],
        [422, 'UNPROCESSABLE', await ingest(await sample('edge/errored_plan.json'))],
        [413, 'PAYLOAD_TOO_LARGE', await ingest(`{"x":"${'x'.repeat(33 << 20)}"}`)],
        [401, 'AUTH_ERROR', await approve(app.api)],
        [401, 'AUTH_ERROR', await approve(app.api.withToken('no.such.token'))],
        [403, 'FORBIDDEN', await approve(viewer)],
      ]) {
        assert.equal(answer.status, status, answer.text);
        assert.equal(answer.success, false);
        assert.equal(answer.error.code, code);
        assert.ok(answer.error.message && answer.error.timestamp && answer.error.requestId, answer.text);
      }
      assert.deepEqual(await engineer.list('/api/v1/drifts'), before);
    });

    if (start === split) {
      test('every authentication event is on its own Redis channel, without any token', async () => {
        const listener = await app.redis.psubscribe('auth:*');
        const body = { name: 'Ada', email: 'ada@example.org', password: 'correct horse battery' };
        const { data: session } = succeeded(await app.api.post('/api/auth/signup', body));
        const refreshed = await app.api.post('/api/auth/refresh', { refreshToken: session.refreshToken });
        const ada = app.api.withToken(succeeded(refreshed).data.accessToken);
        succeeded(await app.api.post('/api/auth/login', { email: body.email, password: body.password }));
        succeeded(await ada.post('/api/auth/logout'));

        const fields = {
          'auth:user.registered': ['email', 'userId'],
          'auth:user.login': ['sessionId', 'userId'],
          'auth:session.created': ['deviceInfo', 'sessionId', 'userId'],
          'auth:token.refreshed': ['sessionId', 'userId'],
          'auth:user.logout': ['sessionId', 'userId'],
          'auth:session.deleted': ['reason', 'sessionId', 'userId'],
        };
        for (const [channel, expected] of Object.entries(fields)) {
          const text = await eventually(channel, () => listener.log.match(`\n${channel}\n([^\n]+)\n`)?.[1]);
          const event = JSON.parse(text);
          assert.equal(event.type, channel);
          assert.ok(event.eventId && event.timestamp);
          assert.equal(event.payload.userId, session.user.id);
          assert.deepEqual(keys(event.payload), expected);
        }
        for (const token of [session.accessToken, session.refreshToken, ada.token]) {
          assert.ok(!listener.log.includes(token));
        }
        await listener.stop();
      });
    }
  });
}
