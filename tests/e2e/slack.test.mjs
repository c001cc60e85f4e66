// Decisions in Slack: made as the person who pressed the button, once, on the version that the person saw.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import bolt from '@slack/bolt';

import { succeeded } from '../lib/api.mjs';
import { allInOne } from '../lib/deployments.mjs';
import { sample } from '../lib/samples.mjs';
import { Slack, buttons, send, signed } from '../lib/slack.mjs';
import { claims } from '../lib/tokens.mjs';
import { eventually } from '../lib/waiting.mjs';

const RACES = 10;
const { verifySlackRequest } = bolt;

let app, slack, requestUrl, engineer, admin;

before(async () => {
  slack = await Slack.start();
  app = await allInOne({ ALLOW_PRIVATE_WEBHOOKS: 'true' });
  [engineer, admin] = [await app.api.login('engineer'), await app.api.login('admin')];
  const destination = { name: 'Slack', target: slack.target, rules: { events: ['drift:*'] } };
  const { data } = await admin.post('/api/v1/notifications/destinations', destination).then(succeeded);
  requestUrl = `${app.socketOrigins[0]}/api/v1/notifications/slack/${data.id}/interactions`;
  await engineer.ingest(await sample('fakeaws_20/scan1.plan.json'), { stack: 'demo' }).then(succeeded);
  await eventually('the messages about all drifts', () => slack.messages.length === 20);
});

after(async () => {
  slack?.stop();
  assert.deepEqual(await app?.stop(), [0]);
});

/** Links a Slack user as the page of the console does it. */
async function link(api, user) {
  const before = slack.told.filter((text) => text.user === user).length;
  assert.equal((await slack.press(requestUrl, user, buttons(slack.messages[0]).approve)).status, 200);
  const text = await slack.textTo(user, before);
  const [, code] = text.match(/<http:\/\/localhost:\d+\/#\/link-slack\?code=([\w-]+)\|Link your Slack user>/);
  const shown = await api.post('/api/v1/notifications/slack/codes', { code }).then(succeeded);
  assert.deepEqual(shown.data, { destination: 'Slack', slackUser: user, slackName: user.toLowerCase() });
  const { data } = await api.post('/api/auth/personal-tokens', { name: 'Slack' }).then(succeeded);
  succeeded(await api.post('/api/v1/notifications/slack/links', { code, token: data.token }));
  assert.ok(!(await app.stored()).includes(data.token), 'the token is stored encrypted');
  assert.ok(!app.log().includes(data.token) && !app.log().includes(code), 'the log has no token and no code');
}

const drifts = () => engineer.list('/api/v1/drifts');
const messageOf = (drift) =>
  slack.messages.find((message) => !message.thread_ts && buttons(message).approve?.value.startsWith(drift.id));

test('an unlinked person gets an address, and decides as themselves once they are linked', async () => {
  await link(engineer, 'UENGINEER');
  await link(admin, 'UADMIN');
  const [drift] = await drifts();
  const message = messageOf(drift);
  assert.equal((await slack.press(requestUrl, 'UENGINEER', buttons(message).approve)).status, 200);
  await eventually('the message to change', () => message.text.startsWith('Drift approved'));
  assert.deepEqual(buttons(message), {});
  await eventually('the reply', () => slack.messages.some((reply) => reply.thread_ts === message.ts));
  const { data } = await engineer.get(`/api/v1/drifts/${drift.id}`).then(succeeded);
  assert.equal(data.approvedBy, claims(engineer.token).userId);
  const audit = await admin.list('/api/v1/audit');
  const row = audit.find((row) => row.action === 'drift.approve' && row.entityId === drift.id);
  assert.equal(row.actor, claims(engineer.token).userId, 'the audit names the person');
});

test('of two people who press at once, one decides and the other is told who was first', async () => {
  const undecided = (await drifts()).filter((drift) => drift.status === 'detected').slice(0, RACES);
  assert.equal(undecided.length, RACES);
  for (const drift of undecided) {
    const message = messageOf(drift);
    const { approve, reject } = buttons(message);
    const before = slack.told.length;
    const presses = [slack.press(requestUrl, 'UENGINEER', approve), slack.press(requestUrl, 'UADMIN', reject)];
    for (const { status } of await Promise.all(presses)) assert.equal(status, 200);
    await eventually('a text to the second', () => slack.told.length > before);
    await eventually('the message to change', () => /^Drift (approved|rejected)/.test(message.text));
    const { data } = await engineer.get(`/api/v1/drifts/${drift.id}`).then(succeeded);
    const [first, second] = data.status === 'approved' ? ['UENGINEER', 'UADMIN'] : ['UADMIN', 'UENGINEER'];
    assert.deepEqual(slack.told.slice(before).map(({ user, text }) => [user, text]), [
      [second, `<@${first}> ${data.status} it just now.`],
    ]);
  }
});

test('a button on a message that is out of date decides nothing', async () => {
  const drift = (await drifts()).find((drift) => drift.status === 'detected');
  const message = messageOf(drift);
  const old = buttons(message).approve;
  succeeded(await engineer.patch(`/api/v1/drifts/${drift.id}`, { ticketUrl: 'https://tickets.example.com/1' }));
  await eventually('the message to change', () => buttons(message).approve.value !== old.value);
  const before = slack.told.length;
  await slack.press(requestUrl, 'UADMIN', old);
  assert.match(await eventually('a text', () => slack.told[before]?.text), /^The drift has changed since this message/);
  const { data } = await engineer.get(`/api/v1/drifts/${drift.id}`).then(succeeded);
  assert.equal(data.status, 'detected');
  await slack.press(requestUrl, 'UADMIN', buttons(message).approve);
  await eventually('the decision', () => message.text.startsWith('Drift approved'));
});

test("a revoked token decides nothing, and the person is asked to link again", async () => {
  const drift = (await drifts()).find((drift) => drift.status === 'detected');
  const { data: tokens } = await admin.get('/api/auth/personal-tokens').then(succeeded);
  succeeded(await admin.delete(`/api/auth/personal-tokens/${tokens[0].id}`));
  const before = slack.told.length;
  await slack.press(requestUrl, 'UADMIN', buttons(messageOf(drift)).approve);
  assert.match(await eventually('a text', () => slack.told[before]?.text), /^The link between you and DriftSentry has ended/);
  const { data } = await engineer.get(`/api/v1/drifts/${drift.id}`).then(succeeded);
  assert.equal(data.status, 'detected');
});

test("the request URL accepts exactly what Slack's own library accepts, and each request once", async () => {
  const now = () => Math.floor(Date.now() / 1000);
  const body = (number) => new URLSearchParams({ payload: JSON.stringify({ type: 'block_suggestion', number }) }).toString();
  const requests = [
    signed(slack.secret, body(1)),
    signed(slack.secret, body(2), now() - 290),
    signed(slack.secret, 'payload=%7B%7D&text=%C3%A4+%F0%9F%A6%80'),
    signed(slack.secret, ''),
    signed('another secret', body(3)),
    signed(slack.secret, body(4), now() - 310),
    { ...signed(slack.secret, body(5)), body: body(6) },
    { ...signed(slack.secret, body(7)), timestamp: String(now() - 1) },
    { ...signed(slack.secret, body(8)), signature: signed(slack.secret, body(8)).signature.replace('v0', 'v1') },
    { ...signed(slack.secret, body(9)), signature: signed(slack.secret, body(9)).signature.slice(0, -2) },
    { ...signed(slack.secret, body(10)), signature: 'v0=' },
  ];
  const accepted = requests.map(({ body, timestamp, signature }) => {
    const headers = { 'x-slack-request-timestamp': Number(timestamp), 'x-slack-signature': signature };
    try {
      verifySlackRequest({ signingSecret: slack.secret, body, headers });
      return true;
    } catch {
      return false;
    }
  });
  assert.deepEqual(accepted, [...Array(4).fill(true), ...Array(7).fill(false)]);
  for (const [number, request] of requests.entries()) {
    assert.equal((await send(requestUrl, request)).status, accepted[number] ? 200 : 401, request.body);
  }
  assert.equal((await send(requestUrl, requests[0])).status, 401, 'a replay');
  const huge = signed(slack.secret, `payload=${'x'.repeat(64 * 1024)}`);
  assert.equal((await send(requestUrl, huge)).status, 413);
});
