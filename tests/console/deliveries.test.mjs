// The log of deliveries: attempts in words, filters, pages, and sending again.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { succeeded } from '../lib/api.mjs';
import { allInOne } from '../lib/deployments.mjs';
import { planOf } from '../lib/plans.mjs';
import { Receiver } from '../lib/receiver.mjs';
import { eventually } from '../lib/waiting.mjs';
import { Browser, visit } from './browser.mjs';

const LOG = '#/notifications/deliveries';
/** The number of failures that make a destination fail. More make its pauses longer. */
const FAILING_AFTER = 5;

describe('deliveries in the console', () => {
  let app, api, browser, receiver, destination;
  before(async () => {
    app = await allInOne({ ALLOW_PRIVATE_WEBHOOKS: 'true' });
    api = await app.api.login('admin');
    browser = await Browser.start(app.api.origins.auth);
    receiver = await Receiver.start();
    destination = await create('Receiver', receiver.url);
  });
  after(async () => {
    await browser?.stop();
    await app?.stop();
    receiver?.stop();
  });

  async function create(name, url) {
    const wanted = { name, target: { kind: 'webhook', url }, rules: { events: ['drift:created'] } };
    return succeeded(await api.post('/api/v1/notifications/destinations', wanted)).data;
  }
  const scan = async (stack, count) => succeeded(await api.ingest(planOf(count), { stack }));
  const deliveries = (page) => page.locator('main tbody tr');
  const received = (id) => receiver.requests.filter(({ headers }) => headers['webhook-id'] === id).length;

  /** Presses "Refresh" until the log shows what a test waits for. */
  const refreshed = (page, what, isShown) =>
    eventually(what, async () => {
      await page.getByRole('button', { name: 'Refresh' }).click();
      await page.locator('main tbody, main .state').waitFor();
      return isShown();
    });

  test('attempts that fail are told in words, and the destination recovers', async () => {
    const { page, ...person } = await browser.person('admin');
    receiver.status = 503;
    await scan('failing', FAILING_AFTER);
    await page.locator('.notice').getByText('Deliveries to Receiver fail').waitFor();
    await visit(page, `${LOG}?destination=${destination.id}`);
    await refreshed(page, 'the attempts', async () => (await page.getByText('1 attempt').count()) >= 1);
    await page.locator('.attempts summary').first().click();
    await page.locator('.attempts li').first().getByText(/: responded with status 503, \d+ ms$/).waitFor();
    assert.equal(await deliveries(page).count(), FAILING_AFTER);
    assert.equal(await deliveries(page).getByText('Waiting').count(), FAILING_AFTER);
    assert.equal(await page.getByRole('button', { name: /^Send again/ }).count(), 0, 'they are not finished');

    receiver.status = 204;
    await page.locator('.notice').getByText('Deliveries to Receiver succeed again.').waitFor();
    const delivered = async () => (await deliveries(page).getByText('Delivered', { exact: true }).count()) === FAILING_AFTER;
    await refreshed(page, 'all delivered', delivered);
    await page.locator('.attempts summary').last().click();
    await page.locator('.attempts li').last().getByText(/: delivered with status 204, \d+ ms$/).waitFor();
    await browser.farewell(person);
  });

  test('one delivery is sent again, or all since a time', async () => {
    const { page, ...person } = await browser.person('admin');
    await visit(page, `${LOG}?status=delivered`);
    await deliveries(page).first().waitFor();
    const before = receiver.requests.length;
    await deliveries(page).first().getByRole('button', { name: 'Send again: drift:created' }).click();
    await page.getByText('It will be sent again.').waitFor();
    await eventually('the delivery', () => receiver.requests.length === before + 1);
    const id = receiver.requests.at(-1).headers['webhook-id'];
    assert.ok(received(id) >= 2, 'with the same id');

    await visit(page, '#/notifications');
    await page.locator('summary', { hasText: 'More about Receiver' }).click();
    await page.getByRole('button', { name: 'Send again: Receiver' }).click();
    const dialog = page.getByRole('dialog', { name: 'Send again to Receiver' });
    assert.match(await dialog.getByLabel('Everything since').inputValue(), /^\d{4}-\d\d-\d\dT\d\d:\d\d$/);
    await dialog.getByRole('button', { name: 'Send again' }).click();
    await page.getByText(`Sent again to Receiver: ${FAILING_AFTER} events.`).waitFor();
    await eventually('all of them', () => receiver.requests.length === before + 1 + FAILING_AFTER);
    await browser.farewell(person);
  });

  test('the log has filters in its address, and pages', async () => {
    const other = await create('Other', receiver.url);
    await scan('many', 60);
    const { page, ...person } = await browser.person('engineer');
    await visit(page, LOG);
    await refreshed(page, 'the first page', async () => (await deliveries(page).count()) === 50);
    await page.getByLabel('Destination').selectOption('Other');
    await page.waitForURL((url) => url.hash === `${LOG}?destination=${other.id}`);
    await refreshed(page, 'the second page', async () => (await page.getByRole('button', { name: 'More' }).count()) === 1);
    await page.getByRole('button', { name: 'More' }).click();
    await eventually('all', async () => (await deliveries(page).count()) === 60);
    const ids = await deliveries(page).evaluateAll((rows) => rows.map(({ dataset }) => Number(dataset.id)));
    assert.deepEqual(ids, ids.toSorted((a, b) => b - a), 'newest first');
    assert.equal(await page.getByRole('main').getByRole('button', { name: /^Send again/ }).count(), 0, 'for admins');
    await page.getByLabel('Status').selectOption('Given up');
    await page.getByText('No delivery matches these filters.').waitFor();
    await page.reload();
    await page.getByText('No delivery matches these filters.').waitFor();
    assert.equal(await page.getByLabel('Status').inputValue(), 'dead');
    assert.equal(await page.getByLabel('Destination').inputValue(), other.id);
    await browser.farewell(person);
  });
});
