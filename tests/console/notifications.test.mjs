// Notifications in the console: destinations, their rules and messages, their health, and who may change them.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';

import { succeeded } from '../lib/api.mjs';
import { allInOne } from '../lib/deployments.mjs';
import { Receiver } from '../lib/receiver.mjs';
import { sample } from '../lib/samples.mjs';
import { eventually } from '../lib/waiting.mjs';
import { Browser, visit } from './browser.mjs';
import { DEVICES, inspect } from './inspect.mjs';

const DESTINATIONS = '/api/v1/notifications/destinations';
const HOSTILE = '<img src=x onerror="document.title=1">';

describe('notifications in the console', () => {
  let app, api, browser, receiver;
  before(async () => {
    app = await allInOne({ ALLOW_PRIVATE_WEBHOOKS: 'true' });
    browser = await Browser.start(app.api.origins.auth);
  });
  after(async () => {
    await browser?.stop();
    await app?.stop();
  });

  // Each test begins with no destination, and with a receiver of its own.
  beforeEach(async () => {
    // Each page of a person is a session, and a user has few of them.
    api = await app.api.login('admin');
    for (const { id } of await list()) succeeded(await api.delete(`${DESTINATIONS}/${id}`));
    receiver = await Receiver.start();
  });
  afterEach(() => receiver.stop());

  const list = async () => succeeded(await api.get(DESTINATIONS)).data;
  const create = async (name, target, more = {}) =>
    succeeded(await api.post(DESTINATIONS, { name, target, ...more })).data;
  const webhook = (name, more) => create(name, { kind: 'webhook', url: receiver.url }, more);
  const slack = (name, more) => create(name, { kind: 'slack', url: receiver.url }, more);
  const scan = async (stack, name = 'fakeaws_20/scan1.plan.json') =>
    succeeded(await api.ingest(await sample(name), { stack }));
  const row = (page, name) => page.getByRole('row').filter({ hasText: name });
  const openList = async (page) => {
    await visit(page, '#/notifications');
    await page.getByRole('navigation', { name: 'Notifications' }).waitFor();
  };
  const openEditor = async (page, { id, name }) => {
    await visit(page, `#/notifications/${id}`);
    await page.getByRole('heading', { name: `Edit ${name}` }).waitFor();
  };

  test('a webhook is created and tested, its secret is shown once, and a real drift arrives', async () => {
    const { page, ...person } = await browser.person('admin');
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Notifications' }).click();
    await page.getByRole('link', { name: 'Create the first destination' }).click();
    await page.getByLabel('Name').fill('CI');
    await page.getByRole('button', { name: 'Create destination' }).click();
    await page.getByText('Address is missing.').waitFor();
    await page.getByLabel('Address').fill('https://user@exam ple');
    await page.getByRole('button', { name: 'Create destination' }).click();
    const told = page.locator('.field:has([name="target.url"]) .form-error');
    await told.getByText(/^Address /).waitFor();
    assert.equal(await page.getByLabel('Address').getAttribute('aria-invalid'), 'true');
    await page.getByLabel('Address').fill(receiver.url);
    await page.getByRole('button', { name: 'Create destination' }).click();

    const dialog = page.getByRole('dialog', { name: 'CI is ready' });
    const secret = await dialog.locator('.secret code').textContent();
    assert.match(secret, /^whsec_/);
    await dialog.getByText('It is not shown again.').waitFor();
    await dialog.getByText('it verifies the header webhook-signature').waitFor();
    await dialog.getByRole('button', { name: 'Done' }).click();
    await row(page, 'CI').getByText('Webhook · 127.0.0.1').waitFor();
    await row(page, 'CI').getByText('drift:created, drift:updated, drift:approved').waitFor();
    assert.ok(!(await page.content()).includes(secret), 'the secret is gone');
    assert.ok(!(await page.content()).includes('secret-path'), 'only the host is shown');

    await page.getByRole('button', { name: 'Test: CI' }).click();
    await row(page, 'CI').getByText(/^Test delivered with status 200 in \d+ ms, just now$/).waitFor();
    const [{ headers, body }] = receiver.requests;
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
    const expected = createHmac('sha256', key).update(signed).digest('base64');
    assert.equal(headers['webhook-signature'], `v1,${expected}`, 'the shown secret verifies the request');

    await scan('prod');
    const arrived = () => receiver.requests.find(({ json }) => json.data.stack === 'prod');
    const { json } = await eventually('a real drift', arrived);
    assert.equal(json.type, 'drift:created');

    await openEditor(page, (await list())[0]);
    await page.getByText('Sends to 127.0.0.1.').waitFor();
    assert.equal(await page.getByLabel('Address').count(), 0, 'no address is filled');
    await page.getByRole('button', { name: 'Replace the address' }).click();
    assert.equal(await page.getByLabel('Address').inputValue(), '');
    await page.getByLabel('Address').fill(receiver.url.replace('127.0.0.1', 'localhost'));
    await page.getByRole('button', { name: 'Save' }).click();
    await row(page, 'CI').getByText('Webhook · localhost').waitFor();

    await page.locator('summary', { hasText: 'More about CI' }).click();
    await page.getByRole('button', { name: 'Rotate secret: CI' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Rotate secret' }).click();
    const rotated = page.getByRole('dialog', { name: 'New secret of CI' });
    await rotated.getByText('Requests are signed with the former secret too until').waitFor();
    const next = await rotated.locator('.secret code').textContent();
    assert.ok(next.startsWith('whsec_') && next !== secret);
    await rotated.getByRole('button', { name: 'Done' }).click();
    await browser.farewell(person);
  });

  test('rules and the schedule are edited and read in words', async () => {
    const destination = await slack('Chat', { rules: { events: ['drift:re*'] } });
    const { page, ...person } = await browser.person('admin', { timezoneId: 'Asia/Tokyo' });
    await openList(page);
    await row(page, 'Chat').getByText('drift:re*', { exact: true }).waitFor();
    await page.getByRole('link', { name: 'Edit: Chat' }).click();
    const drifts = page.getByRole('group', { name: 'Drifts' });
    await drifts.getByLabel('New drift').check();
    await page.getByRole('group', { name: 'Alerts' }).getByLabel('All, and future ones').check();
    assert.ok(await page.getByRole('group', { name: 'Alerts' }).getByLabel('New alert').isDisabled());
    assert.equal(await page.getByLabel('Further patterns').inputValue(), 'drift:re*');
    await page.getByLabel('Further patterns').fill('[broken');
    await page.getByLabel('Severity', { exact: true }).selectOption('critical');
    await page.getByLabel('Stacks').fill('prod-*\nnetwork');
    await page.getByLabel('Minutes between digests').fill('3');
    await page.getByLabel('Quiet hours').check();
    assert.equal(await page.getByLabel('Time zone').inputValue(), 'Asia/Tokyo', 'of the browser');
    await page.getByLabel('From').fill('23:30');
    await page.getByLabel('One message for each scan').check();
    await page.getByLabel('No message while').check();
    await page.getByRole('button', { name: 'Save' }).click();
    const errorAt = (name) => page.locator(`.field:has([name="${name}"]) .form-error`);
    await errorAt('rules.events').getByText('Further patterns must have patterns').waitFor();
    await page.getByLabel('Further patterns').fill('');
    await page.getByRole('button', { name: 'Save' }).click();
    await errorAt('schedule.digestMinutes').getByText('must be from 5 to 1440.').waitFor();
    await page.getByLabel('Minutes between digests').fill('30');
    await page.getByRole('button', { name: 'Save' }).click();
    await row(page, 'Chat')
      .getByText('drift:created and alert:* · critical · stacks prod-* and network')
      .waitFor();
    await row(page, 'Chat')
      .getByText(
        'a digest every 30 minutes · quiet from 23:30 to 07:00 (Asia/Tokyo), except critical · one message for each scan · no repeats',
      )
      .waitFor();
    const [saved] = await list();
    assert.deepEqual(saved.rules, {
      events: ['drift:created', 'alert:*'],
      minSeverity: 'critical',
      stacks: ['prod-*', 'network'],
      accounts: [],
    });
    assert.equal(saved.version, destination.version + 1);
    assert.deepEqual(saved.schedule.quietHours, {
      from: '23:30',
      to: '07:00',
      timeZone: 'Asia/Tokyo',
      exceptCritical: true,
    });
    await browser.farewell(person);
  });

  test('a template is previewed with a real event, and its error is shown at it', async () => {
    const destination = await slack('Chat');
    await scan('previewed');
    await eventually('the drifts', () => receiver.requests.length >= 20);
    const { page, ...person } = await browser.person('admin');
    await openEditor(page, destination);
    const preview = page.getByRole('region', { name: 'Preview of the message' });
    await preview.locator('.preview-title').waitFor();
    const drift = page.getByLabel('Preview with').locator('option', { hasText: 'drift in previewed' }).first();
    await page.getByLabel('Preview with').selectOption(await drift.getAttribute('value'));
    await preview.getByText('Open in DriftSentry').or(preview.getByText('Stack previewed')).first().waitFor();
    const text = page.getByLabel('Text');
    await text.fill('<!here> {{ stack }} has {{ severity }} & <b>bold</b>');
    await preview.getByText(/^<!here> previewed has (info|warning|critical) & <b>bold<\/b>$/).waitFor();
    await text.fill('{{ stack ');
    await page.getByText('The template is not valid').waitFor();
    assert.equal(await text.getAttribute('aria-invalid'), 'true');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.locator('.field:has([name="template"]) .form-error').waitFor();
    await text.fill('{{ stack }}!');
    await preview.getByText('previewed!', { exact: true }).waitFor();
    assert.equal(await text.getAttribute('aria-invalid'), null);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('link', { name: 'Edit: Chat' }).waitFor();
    assert.equal((await list())[0].template, '{{ stack }}!');

    await visit(page, '#/notifications/new');
    await page.getByLabel('Kind').selectOption('email');
    await preview.getByText('From').or(preview.locator('.preview-title')).first().waitFor();
    await page.getByLabel('Kind').selectOption('pagerduty');
    await preview.getByText('"dedup_key"').or(preview.getByText('gets no message about this event')).waitFor();
    assert.equal(await page.getByLabel('Text').isVisible(), false, 'a pager has no template');
    await page.getByLabel('Kind').selectOption('teams');
    await preview.locator('.preview-title').waitFor();
    assert.ok(await page.getByLabel('Text').isVisible());
    await browser.farewell(person);
  });

  test('a failing receiver is shown live, and announced to admins', async () => {
    receiver.status = 500;
    // Five failures make a destination fail; more make its pauses longer.
    await webhook('Broken', { rules: { events: ['drift:created'], minSeverity: 'critical' } });
    const admin = await browser.person('admin');
    const engineer = await browser.person('engineer');
    await openList(engineer.page);
    await scan('broken');
    // Wherever an admin is.
    await admin.page.locator('.notice').getByText('Deliveries to Broken fail: responded with status 500.').waitFor();
    await admin.page.locator('.notice').getByRole('button', { name: 'Show' }).click();
    await row(admin.page, 'Broken').getByText('Failing', { exact: true }).waitFor();
    await row(admin.page, 'Broken').getByText('Last failure: responded with status 500.').waitFor();
    await row(admin.page, 'Broken').getByText(/First failed .*, next attempt/).waitFor();
    await admin.page.getByText('Deliveries to Broken fail. DriftSentry tries again by itself.').waitFor();
    await row(engineer.page, 'Broken').getByText('Failing', { exact: true }).waitFor();
    assert.equal(await engineer.page.locator('.notice, .banner').count(), 0, 'engineers cannot repair it');
    await browser.farewell(admin, engineer);
  });

  test('a destination is paused, resumed and deleted by keyboard alone', async () => {
    await webhook('Alpha');
    await webhook('Beta');
    const { page, ...person } = await browser.person('admin');
    await openList(page);
    const press = async (name) => {
      await page.getByRole('button', { name }).focus();
      await page.keyboard.press('Enter');
    };
    await press('Pause: Alpha');
    await row(page, 'Alpha').getByText('Paused', { exact: true }).waitFor();
    await eventually('the focus', () =>
      page.evaluate(() => document.activeElement.getAttribute('aria-label') === 'Resume: Alpha'),
    );
    assert.equal((await list())[0].isEnabled, false);
    await press('Resume: Alpha');
    await row(page, 'Alpha').getByText('Works', { exact: true }).waitFor();
    await page.locator('summary', { hasText: 'More about Beta' }).focus();
    await page.keyboard.press('Enter');
    await press('Delete: Beta');
    const dialog = page.getByRole('dialog', { name: 'Delete "Beta"?' });
    await dialog.getByRole('button', { name: 'Delete destination' }).press('Enter');
    await row(page, 'Beta').waitFor({ state: 'detached' });
    assert.deepEqual(
      (await list()).map(({ name }) => name),
      ['Alpha'],
    );
    await browser.farewell(person);
  });

  test('a change that somebody else made in between is not overwritten', async () => {
    const destination = await slack('Chat');
    const { page, ...person } = await browser.person('admin');
    await openEditor(page, destination);
    await page.getByLabel('Stacks').fill('mine');
    succeeded(await api.patch(`${DESTINATIONS}/${destination.id}`, { name: 'Renamed' }));
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Somebody else changed this destination after you opened it.').waitFor();
    assert.deepEqual((await list())[0].rules.stacks, []);
    await page.getByRole('button', { name: 'Load the current version' }).click();
    await page.getByRole('heading', { name: 'Edit Renamed' }).waitFor();
    await page.getByLabel('Stacks').fill('mine');
    await page.getByRole('button', { name: 'Save' }).click();
    await row(page, 'Renamed').getByText('stacks mine').waitFor();
    await browser.farewell(person);
  });

  test('the command palette finds destinations and actions', async () => {
    const { id } = await slack('Chat of operations');
    const { page, ...person } = await browser.person('admin');
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox').fill('operations');
    await page.getByRole('option', { name: 'Chat of operations destination, Slack' }).waitFor();
    await page.keyboard.press('Enter');
    await page.waitForURL((url) => url.hash === `#/notifications/${id}`);
    await page.getByRole('heading', { name: 'Edit Chat of operations' }).waitFor();
    await page.keyboard.press('Control+k');
    await page.getByRole('option', { name: 'Notifications: New destination' }).click();
    await page.getByRole('heading', { name: 'New destination' }).waitFor();
    await browser.farewell(person);
  });

  test('engineers see destinations and change none, and viewers see none', async () => {
    const destination = await webhook('Seen');
    const engineer = await browser.person('engineer');
    await openList(engineer.page);
    await row(engineer.page, 'Seen').getByText('Webhook · 127.0.0.1').waitFor();
    const main = engineer.page.getByRole('main');
    assert.equal(await main.getByRole('button').count(), 0);
    assert.equal(await main.getByRole('link', { name: /Edit|New/ }).count(), 0);
    await visit(engineer.page, `#/notifications/${destination.id}`);
    await main.getByText('Only admins can open this page.').waitFor();
    await engineer.page.keyboard.press('Control+k');
    await engineer.page.getByRole('option', { name: 'Notifications: Deliveries' }).click();
    await main.getByLabel('Status').waitFor();

    const viewer = await browser.person('viewer');
    const links = viewer.page.getByRole('navigation', { name: 'Main' });
    assert.equal(await links.getByRole('link', { name: 'Notifications' }).count(), 0);
    for (const path of ['#/notifications', '#/notifications/deliveries']) {
      await visit(viewer.page, path);
      await viewer.page.getByText('Only engineers and admins can open this page.').waitFor();
    }
    await viewer.page.keyboard.press('Control+k');
    await viewer.page.getByRole('option', { name: 'Overview' }).waitFor();
    assert.equal(await viewer.page.getByRole('option', { name: /^Notifications/ }).count(), 0);
    await browser.farewell(engineer, viewer);
  });

  test('names that people enter are never markup', async () => {
    receiver.status = 500;
    const destination = await webhook(HOSTILE, { rules: { stacks: [HOSTILE], events: [HOSTILE], accounts: [HOSTILE] } });
    const { page, ...person } = await browser.person('admin');
    await openList(page);
    await row(page, HOSTILE).getByText(`stacks ${HOSTILE}`).waitFor();
    await page.getByRole('button', { name: `Test: ${HOSTILE}` }).click();
    await page.getByText('Test failed: responded with status 500').waitFor();
    await openEditor(page, { ...destination, name: HOSTILE });
    await visit(page, `#/notifications/deliveries?destination=${destination.id}`);
    await page.getByLabel('Destination').locator('option', { hasText: HOSTILE }).waitFor({ state: 'attached' });
    assert.equal(await page.locator('main img').count(), 0);
    assert.match(await page.title(), /DriftSentry$/);
    await browser.farewell(person);
  });

  for (const [device, options] of Object.entries(DEVICES)) {
    test(`axe finds no serious fault in notifications, ${device}`, async () => {
      receiver.status = 500;
      await webhook('Failing one', { rules: { events: ['drift:created', 'alert:*'], stacks: ['axe-*'] } });
      const off = await slack('A chat with a rather long name', {
        schedule: { digestMinutes: 5, quietHours: { from: '22:00', to: '07:00', timeZone: 'America/Argentina/ComodRivadavia' } },
      });
      succeeded(await api.patch(`${DESTINATIONS}/${off.id}`, { isEnabled: false }));
      const { page, ...person } = await browser.person('admin', options);
      await scan(`axe-${device.replaceAll(' ', '-')}`);
      await openList(page);
      await row(page, 'Failing one').getByText('Failing', { exact: true }).waitFor();
      await page.getByRole('button', { name: 'Test: Failing one' }).click();
      await page.getByText('Test failed').waitFor();
      await page.locator('summary', { hasText: 'More about Failing one' }).click();
      await inspect(page, 'the list');
      await page.getByRole('button', { name: 'Send again: Failing one' }).click();
      await page.getByRole('dialog').waitFor();
      await inspect(page, 'sending again');
      await page.keyboard.press('Escape');
      await openEditor(page, { ...off, name: 'A chat with a rather long name' });
      await page.locator('.preview-title').waitFor();
      await page.getByLabel('Text').fill('{{');
      await page.getByText('The template is not valid').waitFor();
      await inspect(page, 'the form');
      await visit(page, '#/notifications/deliveries');
      await page.locator('.attempts summary').first().click();
      await inspect(page, 'the deliveries');
      await visit(page, '#/account');
      await page.getByLabel('Notify me in this browser').waitFor();
      await inspect(page, 'the account');
      await browser.farewell(person);
    });
  }
});
