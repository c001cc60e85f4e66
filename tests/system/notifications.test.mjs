// Notifications of the built binaries: real receivers get what the published libraries of their kind accept.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';

import { Webhook, WebhookVerificationError } from 'standardwebhooks';

import { Api, succeeded } from '../lib/api.mjs';
import { Mailbox } from '../lib/mail.mjs';
import { Process, binary } from '../lib/process.mjs';
import { Receiver, createDestination, isAbout, reportDrift } from '../lib/receiver.mjs';
import { Postgres, Redis, contents, temporaryFolder } from '../lib/servers.mjs';
import { eventually, freePort } from '../lib/waiting.mjs';
import { behindCaddy } from './behind_caddy.mjs';

const DESTINATIONS = '/api/v1/notifications/destinations';
const DELIVERIES = '/api/v1/notifications/deliveries';
const SECRET = 'a secret of the tests of notifications';
const ENVIRONMENT = {
  NODE_ENV: 'development',
  HOST: '127.0.0.1',
  BCRYPT_COST: '4',
  JWT_ACCESS_SECRET: SECRET,
  ALLOW_PRIVATE_WEBHOOKS: 'true',
  NOTIFY_TIMEOUT: '2s',
  PUBLIC_URL: 'https://drift.example.com',
  MAIL_FROM: 'no-reply@example.com',
};
/** Addresses inside, in the forms that attackers use. */
const INSIDE = [
  'http://169.254.169.254/latest/meta-data/',
  'http://2130706433/',
  'http://0x7f.1/',
  'http://localhost/',
  'http://api.localhost./',
  'http://[::ffff:10.0.0.1]/',
];

/** `driftsentry` with stores that outlive its process. */
class Installation {
  constructor(env) {
    this.env = { ...ENVIRONMENT, ...env };
  }

  async start(more = {}) {
    this.folder ??= await temporaryFolder();
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const options = ['--port', String(port), '--data-dir', this.folder.path];
    this.process = new Process(binary('driftsentry'), options, { ...this.env, ...more });
    await this.process.ready(url);
    this.api = new Api({ auth: url, drift: url });
    [this.admin, this.engineer] = [await this.api.login('admin'), await this.api.login('engineer')];
  }

  async restart(more) {
    assert.equal(await this.process.stop(), 0, this.process.log);
    await this.start(more);
  }

  /** Returns the deliveries to a destination, the newest first. */
  async deliveries({ id }) {
    return succeeded(await this.engineer.get(`${DELIVERIES}?destination=${id}`)).data;
  }

  async stop() {
    await this.process?.stop();
    await this.folder?.remove();
  }
}

/** Returns a quiet hour that ends with the next minute that is at least 15 seconds away. */
function quietUntilNextMinute() {
  const end = new Date(Math.ceil((Date.now() + 15_000) / 60_000) * 60_000);
  const time = (at) => at.toISOString().slice(11, 16);
  return { from: time(new Date(end - 3_600_000)), to: time(end), timeZone: 'UTC' };
}

for (const [stores, isReal] of [['SQLite + in-process', false], ['PostgreSQL + Redis', true]]) {
  describe(`notifications on ${stores}`, () => {
    let app, postgres, redis, receiver, mailbox, digest;

    before(async () => {
      [receiver, mailbox] = [await Receiver.start(), await Mailbox.start()];
      const env = { SMTP_URL: mailbox.url };
      if (isReal) {
        postgres = new Postgres();
        redis = await Redis.start();
        Object.assign(env, { DATABASE_URL: await postgres.newDatabase(), REDIS_URL: redis.url });
      }
      app = new Installation(env);
      await app.start();
      // Its mail arrives while the other tests run.
      const schedule = { quietHours: quietUntilNextMinute() };
      digest = await createDestination(app.admin, { kind: 'email', to: ['digest@example.com'] }, { schedule });
      digest.drifts = [await reportDrift(app.engineer), await reportDrift(app.engineer)];
    });
    after(async () => {
      await app?.stop();
      receiver?.stop();
      await Promise.all([mailbox?.stop(), postgres?.stop(), redis?.stop()]);
    });

    test('standardwebhooks verifies a webhook, with the old and the new secret while one replaces the other s109', async () => {
      const target = { kind: 'webhook', url: `${receiver.url}/hook` };
      const { id, signingSecret: former } = await createDestination(app.admin, target);
      const sent = async () => {
        const drift = await reportDrift(app.engineer);
        return receiver.request('/hook', isAbout(drift));
      };
      const accepts = (secret, { text, headers }) => new Webhook(secret).verify(text, headers);

      const first = await sent();
      assert.equal(accepts(former, first).type, 'drift:created');
      assert.equal(first.headers['webhook-id'], first.body.eventId);
      const { data } = succeeded(await app.admin.post(`${DESTINATIONS}/${id}/rotate-secret`));
      const second = await sent();
      for (const secret of [former, data.signingSecret]) assert.equal(accepts(secret, second).type, 'drift:created');
      assert.throws(() => accepts(data.signingSecret, first), WebhookVerificationError);
      const changed = { ...second, text: second.text.replace('critical', 'info') };
      assert.throws(() => accepts(data.signingSecret, changed), WebhookVerificationError);
    });

    test('Slack, Teams and PagerDuty get the JSON of their kind', async () => {
      const at = (kind) => `${receiver.url}/${kind}`;
      await createDestination(app.admin, { kind: 'slack', url: at('slack') });
      await createDestination(app.admin, { kind: 'teams', url: at('teams') });
      const pager = { kind: 'pagerduty', routingKey: 'r'.repeat(32), url: at('pagerduty') };
      await createDestination(app.admin, pager, { rules: { events: ['drift:*'] } });
      const drift = await reportDrift(app.engineer);
      const link = `https://drift.example.com/#/drifts/${drift.id}`;

      const slack = await receiver.request('/slack');
      assert.match(slack.body.text, /^Critical drift in prod-eu/);
      assert.ok(slack.body.blocks.length > 1 && slack.text.includes(link), slack.text);
      const teams = await receiver.request('/teams');
      assert.equal(teams.body.attachments[0].content.type, 'AdaptiveCard');
      assert.equal(teams.body.attachments[0].content.actions[0].url, link);
      const page = await receiver.request('/pagerduty');
      assert.deepEqual([page.body.event_action, page.body.payload.severity], ['trigger', 'critical']);
      succeeded(await app.engineer.post(`/api/v1/drifts/${drift.id}/approve`, { reason: 'planned' }));
      const resolved = await receiver.request('/pagerduty', ({ body }) => body.event_action === 'resolve');
      assert.equal(resolved.body.dedup_key, page.body.dedup_key);
      for (const request of [slack, teams, page]) assert.equal(request.headers['webhook-signature'], undefined);
    });

    test('a mail arrives at once', async () => {
      await createDestination(app.admin, { kind: 'email', to: ['ops@example.com'] });
      const drift = await reportDrift(app.engineer);
      const mail = await mailbox.next('ops@example.com');
      assert.match(mail.subject, /^Critical drift in prod-eu/);
      assert.ok(mail.links.includes(`https://drift.example.com/#/drifts/${drift.id}`), mail.text);
    });

    test('what waits for a receiver arrives after driftsentry was killed and started again', async () => {
      const target = { kind: 'webhook', url: `${receiver.url}/killed` };
      const destination = await createDestination(app.admin, target);
      receiver.responses['/killed'] = [503];
      const drift = await reportDrift(app.engineer);
      const { headers } = await receiver.request('/killed', isAbout(drift));
      app.process.kill('SIGKILL');
      await eventually('the process is dead', () => !app.process.running);
      delete receiver.responses['/killed'];
      const before = receiver.requests.length;
      await app.start();
      const isDelivered = ({ status }) => status === 'delivered';
      await eventually('delivered', async () => (await app.deliveries(destination)).every(isDelivered));
      const again = receiver.requests.slice(before).find(isAbout(drift));
      assert.equal(again.headers['webhook-id'], headers['webhook-id'], 'a repeated delivery keeps its id');
    });

    test('what is reported just before the end of driftsentry arrives after the next start, and no loss is reported', async () => {
      const target = { kind: 'webhook', url: `${receiver.url}/last` };
      const rules = { events: ['drift:created'] };
      await createDestination(app.admin, target, { rules });
      for (const signal of ['SIGTERM', 'SIGKILL', 'SIGTERM', 'SIGKILL']) {
        const drift = await reportDrift(app.engineer);
        app.process.kill(signal);
        await eventually('the process has ended', () => !app.process.running);
        await app.start();
        await receiver.request('/last', isAbout(drift));
      }
      const types = receiver.requests.filter(({ path }) => path === '/last').map(({ body }) => body.type);
      assert.ok(!types.includes('notification:events_missed'), types.join());
    });

    test('addresses inside are refused, also for a destination that was created while they were allowed s106', async () => {
      const target = { kind: 'webhook', url: `${receiver.url}/inside` };
      const destination = await createDestination(app.admin, target);
      await app.restart({ ALLOW_PRIVATE_WEBHOOKS: 'false' });
      for (const url of INSIDE) {
        const refused = await app.admin.post(DESTINATIONS, { name: 'inside', target: { kind: 'webhook', url } });
        assert.equal(refused.status, 400, `${url}: ${refused.text}`);
        assert.match(refused.text, /must name a public host/, url);
      }
      const drift = await reportDrift(app.engineer);
      const attempted = ({ eventType, attempts }) => eventType === 'drift:created' && attempts > 0;
      const delivery = await eventually('an attempt', async () => (await app.deliveries(destination)).find(attempted));
      assert.deepEqual([delivery.status, delivery.log[0].failure], ['pending', 'refused_address']);
      assert.equal(receiver.requests.filter(isAbout(drift)).length, 0);
      await app.restart();
      await receiver.request('/inside', isAbout(drift));
    });

    test('the address and the secrets of a destination are in no response, in no log and in no store s108', async () => {
      const secret = 'a-secret-part-of-an-address';
      const target = { kind: 'slack', url: `${receiver.url}/${secret}` };
      const { id } = await createDestination(app.admin, target);
      await reportDrift(app.engineer);
      await receiver.request(`/${secret}`);
      await app.admin.get(`${DESTINATIONS}/${id}`);
      await app.deliveries({ id });
      const stored = isReal ? await postgres.dump() : await contents(app.folder.path);
      assert.ok(stored.includes('127.0.0.1'), 'the host is shown');
      for (const text of [...app.api.transcript, app.process.log, stored]) assert.ok(!text.includes(secret));
    });

    test('events of quiet hours arrive in one mail at their end', async () => {
      const mail = await eventually(
        'the digest',
        async () => (await mailbox.all()).find(({ to }) => to === 'digest@example.com'),
        90_000,
      );
      assert.match(mail.subject, /^\d+ notifications from DriftSentry$/);
      for (const { id } of digest.drifts) assert.ok(mail.text.includes(id), mail.text);
    });

    if (!isReal) return;

    test('an event that is published while driftsentry is down arrives after its start', async () => {
      const target = { kind: 'webhook', url: `${receiver.url}/down` };
      await createDestination(app.admin, target);
      assert.equal(await app.process.stop(), 0);
      const port = await freePort();
      const database = `${app.env.DATABASE_URL}${app.env.DATABASE_URL.includes('?') ? '&' : '?'}schema=drift`;
      const alone = new Process(binary('drift-service'), [], { ...app.env, DATABASE_URL: database, PORT: String(port) });
      const url = `http://127.0.0.1:${port}`;
      await alone.ready(url);
      const engineer = new Api({ auth: url, drift: url }, app.engineer.token);
      const reported = [await reportDrift(engineer), await reportDrift(engineer)];
      await alone.stop();
      await app.start();
      for (const drift of reported) await receiver.request('/down', isAbout(drift));
      const missed = receiver.requests.filter(({ body }) => body.type === 'notification:events_missed');
      assert.deepEqual(missed, [], 'a restart loses no event');
    });

    test('the loss of the log is reported to every destination, and no event arrives twice', async () => {
      await createDestination(app.admin, { kind: 'webhook', url: `${receiver.url}/lost` }, { rules: { events: ['scan:*'] } });
      await promisify(execFile)('redis-cli', ['-p', String(redis.port), 'FLUSHALL']);
      const drift = await reportDrift(app.engineer);
      const { body } = await receiver.request('/lost');
      assert.equal(body.type, 'notification:events_missed');
      assert.ok(new Date(body.data.since) < new Date(), body.data.since);
      await receiver.request('/down', isAbout(drift));
      const down = receiver.requests.filter(({ path }) => path === '/down').map(({ body: { eventId } }) => eventId);
      assert.equal(new Set(down).size, down.length);
    });
  });
}

describe('notifications of the split deployment', () => {
  let app, receiver;
  before(async () => {
    receiver = await Receiver.start();
    app = await behindCaddy({ ALLOW_PRIVATE_WEBHOOKS: 'true' });
  });
  after(async () => {
    await app?.stop();
    receiver?.stop();
  });

  test('a webhook receives an event of another service', async () => {
    const [admin, engineer] = [await app.api.login('admin'), await app.api.login('engineer')];
    const { signingSecret } = await createDestination(admin, { kind: 'webhook', url: `${receiver.url}/split` });
    const drift = await reportDrift(engineer);
    const { text, headers } = await receiver.request('/split', isAbout(drift));
    assert.equal(new Webhook(signingSecret).verify(text, headers).data.id, drift.id);
    assert.equal(await app.metric(app.notify, 'notify_deliveries_total'), 1);
  });
});
