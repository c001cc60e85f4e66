// Notifications in the console: destinations, their health, and who may see and change them.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';

import { eventually } from '../lib/waiting.mjs';
import { visit } from './browser.mjs';
import { Post, openEditor, openList, row } from './destinations.mjs';
import { DEVICES, inspect } from './inspect.mjs';

const HOSTILE = '<img src=x onerror="document.title=1">';

describe('notifications in the console', () => {
  let post;
  before(async () => {
    post = await Post.start();
  });
  after(() => post?.stop());
  beforeEach(() => post.begin());
  afterEach(() => post.end());

  test('a webhook is created and tested, its secret is shown once, and a real drift arrives', async () => {
    const { page, ...person } = await post.browser.person('admin');
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
    await page.getByLabel('Address').fill(`${post.receiver.url}/secret-path`);
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
    const [{ headers, text: body }] = post.receiver.requests;
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
    const expected = createHmac('sha256', key).update(signed).digest('base64');
    assert.equal(headers['webhook-signature'], `v1,${expected}`, 'the shown secret verifies the request');

    await post.scan('prod');
    const arrived = () => post.receiver.requests.find(({ body }) => body.data.stack === 'prod');
    const { body: real } = await eventually('a real drift', arrived);
    assert.equal(real.type, 'drift:created');

    await openEditor(page, (await post.list())[0]);
    await page.getByText('Sends to 127.0.0.1.').waitFor();
    assert.equal(await page.getByLabel('Address').count(), 0, 'no address is filled');
    await page.getByRole('button', { name: 'Replace the address' }).click();
    assert.equal(await page.getByLabel('Address').inputValue(), '');
    await page.getByLabel('Address').fill(post.receiver.url.replace('127.0.0.1', 'localhost'));
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
    await post.browser.farewell(person);
  });

  test('a failing receiver is shown live, and announced to admins', async () => {
    post.receiver.status = 500;
    // Five failures make a destination fail; more make its pauses longer.
    await post.create('webhook', 'Broken', { rules: { events: ['drift:created'], minSeverity: 'critical' } });
    const admin = await post.browser.person('admin');
    const engineer = await post.browser.person('engineer');
    await openList(engineer.page);
    await post.scan('broken');
    // Wherever an admin is.
    await admin.page.locator('.notice').getByText('Deliveries to Broken fail: responded with status 500.').waitFor();
    await admin.page.locator('.notice').getByRole('button', { name: 'Show' }).click();
    await row(admin.page, 'Broken').getByText('Failing', { exact: true }).waitFor();
    await row(admin.page, 'Broken').getByText('Last failure: responded with status 500.').waitFor();
    await row(admin.page, 'Broken').getByText(/First failed .*, next attempt/).waitFor();
    await admin.page.getByText('Deliveries to Broken fail. DriftSentry tries again by itself.').waitFor();
    await row(engineer.page, 'Broken').getByText('Failing', { exact: true }).waitFor();
    assert.equal(await engineer.page.locator('.notice, .banner').count(), 0, 'engineers cannot repair it');
    await post.browser.farewell(admin, engineer);
  });

  test('a destination is paused, resumed and deleted by keyboard alone', async () => {
    await post.create('webhook', 'Alpha');
    await post.create('webhook', 'Beta');
    const { page, ...person } = await post.browser.person('admin');
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
    assert.equal((await post.list())[0].isEnabled, false);
    await press('Resume: Alpha');
    await row(page, 'Alpha').getByText('Works', { exact: true }).waitFor();
    await page.locator('summary', { hasText: 'More about Beta' }).focus();
    await page.keyboard.press('Enter');
    await press('Delete: Beta');
    const dialog = page.getByRole('dialog', { name: 'Delete "Beta"?' });
    await dialog.getByRole('button', { name: 'Delete destination' }).press('Enter');
    await row(page, 'Beta').waitFor({ state: 'detached' });
    assert.deepEqual(
      (await post.list()).map(({ name }) => name),
      ['Alpha'],
    );
    await post.browser.farewell(person);
  });

  test('the command palette finds destinations and actions', async () => {
    const { id } = await post.create('slack', 'Chat of operations');
    const { page, ...person } = await post.browser.person('admin');
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox').fill('operations');
    await page.getByRole('option', { name: 'Chat of operations destination, Slack' }).waitFor();
    await page.keyboard.press('Enter');
    await page.waitForURL((url) => url.hash === `#/notifications/${id}`);
    await page.getByRole('heading', { name: 'Edit Chat of operations' }).waitFor();
    await page.keyboard.press('Control+k');
    await page.getByRole('option', { name: 'Notifications: New destination' }).click();
    await page.getByRole('heading', { name: 'New destination' }).waitFor();
    await post.browser.farewell(person);
  });

  test('engineers see destinations and change none, and viewers see none', async () => {
    const destination = await post.create('webhook', 'Seen');
    const engineer = await post.browser.person('engineer');
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

    const viewer = await post.browser.person('viewer');
    const links = viewer.page.getByRole('navigation', { name: 'Main' });
    assert.equal(await links.getByRole('link', { name: 'Notifications' }).count(), 0);
    for (const path of ['#/notifications', '#/notifications/deliveries']) {
      await visit(viewer.page, path);
      await viewer.page.getByText('Only engineers and admins can open this page.').waitFor();
    }
    await viewer.page.keyboard.press('Control+k');
    await viewer.page.getByRole('option', { name: 'Overview' }).waitFor();
    assert.equal(await viewer.page.getByRole('option', { name: /^Notifications/ }).count(), 0);
    await post.browser.farewell(engineer, viewer);
  });

  test('names that people enter are never markup', async () => {
    post.receiver.status = 500;
    const destination = await post.create('webhook', HOSTILE, { rules: { stacks: [HOSTILE], events: [HOSTILE], accounts: [HOSTILE] } });
    const { page, ...person } = await post.browser.person('admin');
    await openList(page);
    await row(page, HOSTILE).getByText(`stacks ${HOSTILE}`).waitFor();
    await page.getByRole('button', { name: `Test: ${HOSTILE}` }).click();
    await page.getByText('Test failed: responded with status 500').waitFor();
    await openEditor(page, { ...destination, name: HOSTILE });
    await visit(page, `#/notifications/deliveries?destination=${destination.id}`);
    await page.getByLabel('Destination').locator('option', { hasText: HOSTILE }).waitFor({ state: 'attached' });
    assert.equal(await page.locator('main img').count(), 0);
    assert.match(await page.title(), /DriftSentry$/);
    await post.browser.farewell(person);
  });

  for (const [device, options] of Object.entries(DEVICES)) {
    test(`axe finds no serious fault in notifications, ${device}`, async () => {
      post.receiver.status = 500;
      await post.create('webhook', 'Failing one', { rules: { events: ['drift:created', 'alert:*'], stacks: ['axe-*'] } });
      const off = await post.create('slack', 'A chat with a rather long name', {
        schedule: { digestMinutes: 5, quietHours: { from: '22:00', to: '07:00', timeZone: 'America/Argentina/ComodRivadavia' } },
      });
      await post.change(off, { isEnabled: false });
      const { page, ...person } = await post.browser.person('admin', options);
      await post.scan(`axe-${device.replaceAll(' ', '-')}`);
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
      await post.browser.farewell(person);
    });
  }
});
