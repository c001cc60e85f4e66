// The receivers in examples/receivers: each verifies what DriftSentry sends, ignores repetitions and refuses forgeries.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';

import { Webhook } from 'standardwebhooks';

import { succeeded } from '../lib/api.mjs';
import { allInOne } from '../lib/deployments.mjs';
import { Process, repository } from '../lib/process.mjs';
import { createDestination, reportDrift } from '../lib/receiver.mjs';
import { eventually, freePort } from '../lib/waiting.mjs';

const EXAMPLES = `${repository}/examples/receivers`;
const DELIVERIES = '/api/v1/notifications/deliveries';

describe('the receivers in examples s109', () => {
  let app, folder, admin, engineer;
  before(async () => {
    // In tests/, so that the example finds the library in tests/node_modules.
    folder = await mkdtemp(`${repository}/tests/receivers-`);
    app = await allInOne({ ALLOW_PRIVATE_WEBHOOKS: 'true' });
    [admin, engineer] = [await app.api.login('admin'), await app.api.login('engineer')];
  });
  after(async () => {
    await app?.stop();
    if (folder) await rm(folder, { recursive: true });
  });

  const programs = {
    async node() {
      await copyFile(`${EXAMPLES}/receiver.mjs`, `${folder}/receiver.mjs`);
      return [process.execPath, [`${folder}/receiver.mjs`]];
    },
    async python() {
      return ['python3', [`${EXAMPLES}/receiver.py`]];
    },
    async go() {
      execFileSync('go', ['build', '-o', `${folder}/receiver`, `${EXAMPLES}/receiver.go`], { stdio: 'pipe' });
      return [`${folder}/receiver`, []];
    },
  };

  for (const [language, program] of Object.entries(programs)) {
    test(`the receiver in ${language} verifies webhooks, works once on each, and refuses others s109`, async () => {
      const port = await freePort();
      const url = `http://127.0.0.1:${port}/`;
      const destination = await createDestination(admin, { kind: 'webhook', url });
      const [command, args] = await program();
      // Both secrets of a rotation.
      const secrets = `whsec_${randomBytes(32).toString('base64')} ${destination.signingSecret}`;
      const receiver = new Process(command, args, { WEBHOOK_SECRET: secrets, PORT: String(port) });
      await receiver.until('listening', () => receiver.log.includes(`listening on ${port}`));

      const works = (drift) => receiver.until('an event', () => receiver.log.includes(`drift:created ${drift.id}`));
      const deliveries = async () => succeeded(await engineer.get(`${DELIVERIES}?destination=${destination.id}`)).data;
      const first = await reportDrift(engineer);
      await works(first);
      const delivered = async () => (await deliveries()).find(({ status, attempts }) => status === 'delivered' && attempts === 1);
      const { id, log } = await eventually('the result is stored', delivered);
      assert.equal(log[0].status, 204);
      succeeded(await admin.post(`${DELIVERIES}/${id}/replay`));
      const repeated = async () => (await deliveries()).some((one) => one.id === id && one.status === 'delivered');
      await eventually('delivered again', repeated);
      const second = await reportDrift(engineer);
      await works(second);
      assert.equal(receiver.log.split(first.id).length - 1, 1, 'the repetition has the same id');

      const body = JSON.stringify({ type: 'drift:created', data: { id: 'forged' } });
      const post = async (secret, at, text = body) => {
        const headers = {
          'webhook-id': 'msg_forged',
          'webhook-timestamp': String(Math.floor(at / 1000)),
          'webhook-signature': new Webhook(secret).sign('msg_forged', new Date(at), body),
        };
        return (await fetch(url, { method: 'POST', headers, body: text })).status;
      };
      const known = destination.signingSecret;
      assert.equal(await post(`whsec_${randomBytes(32).toString('base64')}`, Date.now()), 401);
      assert.equal(await post(known, Date.now() - 600_000), 401, 'it is old');
      assert.equal(await post(known, Date.now(), `${body} `), 401, 'it was changed');
      assert.equal((await fetch(url, { method: 'POST', body })).status, 401, 'it is not signed');
      // The connection may end before the whole body is sent.
      const long = await post(known, Date.now(), ' '.repeat(2 << 20)).catch(() => 'closed');
      assert.ok([413, 'closed'].includes(long), String(long));
      assert.ok(!receiver.log.includes('forged'), receiver.log);
      succeeded(await admin.delete(`/api/v1/notifications/destinations/${destination.id}`));
      await receiver.stop();
    });
  }
});
