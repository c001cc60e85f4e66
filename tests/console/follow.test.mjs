// Approvals for a time, returns, and what people add to a drift: comments, assignee, ticket, snooze, watchers.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { succeeded } from '../lib/api.mjs';
import { allInOne } from '../lib/deployments.mjs';
import { sample } from '../lib/samples.mjs';
import { eventually } from '../lib/waiting.mjs';
import { Browser, openDrift, rows, visit } from './browser.mjs';
import { DEVICES, inspect } from './inspect.mjs';

const TICKET = 'https://tickets.example.com/browse/OPS-7?x=<b>';

describe('following a drift in the console', () => {
  let app, api, browser;
  before(async () => {
    app = await allInOne({ STACK_CHECK_INTERVAL: '200ms' });
    api = await app.api.login('admin');
    await api.ingest(await sample('fakeaws_20/scan1.plan.json'), { stack: 'demo' });
    browser = await Browser.start(app.api.origins.auth);
  });
  after(async () => {
    await browser?.stop();
    await app?.stop();
  });

  const list = async (page, hash = '#/drifts') => {
    await visit(page, hash);
    await rows(page).first().waitFor();
  };
  const drift = async (id) => (await api.get(`/api/v1/drifts/${id}`)).data;
  const care = (page) => page.getByRole('region', { name: 'Care' });
  const press = (page, name) => care(page).getByRole('button', { name, exact: true }).click();
  const comments = (page) => page.locator('.comment-text').allTextContents();

  test('a comment is written by keyboard, kept as a draft, and seen by others at once', async () => {
    const engineer = await browser.person('engineer');
    const viewer = await browser.person('viewer');
    const { page } = engineer;
    await list(page);
    const id = await openDrift(page, 0);
    await visit(viewer.page, `#/drifts/${id}`);
    await viewer.page.getByRole('list', { name: 'Comments' }).waitFor({ state: 'attached' });
    const field = page.getByLabel('Comment', { exact: true });
    await field.fill('Who owns <b>this</b>?\nSecond line');
    await openDrift(page, 1);
    assert.equal(await field.inputValue(), '');
    await openDrift(page, 0);
    await eventually('the draft', async () => (await field.inputValue()).startsWith('Who owns'));

    // An update of the drift does not erase the text that the user writes.
    succeeded(await api.patch(`/api/v1/drifts/${id}`, { costImpactMonthly: 12.5 }));
    await page.locator('.history').getByText('costImpactMonthly').waitFor();
    assert.equal(await field.inputValue(), 'Who owns <b>this</b>?\nSecond line');
    await field.press('Control+Enter');
    for (const { page: shown } of [engineer, viewer]) {
      const has = async () => (await comments(shown)).join() === 'Who owns <b>this</b>?\nSecond line';
      await eventually('the comment', has);
    }
    await viewer.page.locator('.comment-head').getByText('Demo engineer').waitFor();
    await viewer.page.locator('.history').getByText('Comment by Demo engineer').waitFor();
    assert.equal(await field.inputValue(), '');
    assert.equal(await viewer.page.getByLabel('Comment', { exact: true }).count(), 0, 'viewers read');
    assert.equal(await viewer.page.getByRole('button', { name: 'Delete the comment' }).count(), 0);

    await page.getByRole('button', { name: 'Delete the comment' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete comment' }).click();
    for (const { page: shown } of [engineer, viewer])
      await eventually('no comment', async () => (await comments(shown)).length === 0);
    await viewer.page.locator('.history').getByText('Comment deleted').waitFor();

    for (let at = 1; at <= 25; at += 1)
      succeeded(await api.post(`/api/v1/drifts/${id}/comments`, { text: `comment ${at}` }));
    await eventually('the newest 20', async () => (await comments(page)).at(-1) === 'comment 25');
    await page.getByRole('button', { name: 'Older comments' }).click();
    await eventually('all of them', async () => (await comments(page)).length === 25);
    assert.equal((await comments(page))[0], 'comment 1');
    await browser.farewell(engineer, viewer);
  });

  test('a drift has an assignee, a ticket and watchers, live', async () => {
    const engineer = await browser.person('engineer');
    const viewer = await browser.person('viewer');
    const { page } = engineer;
    await list(page);
    const id = await openDrift(page, 2);
    await visit(viewer.page, `#/drifts/${id}`);
    await care(viewer.page).getByText('nobody').first().waitFor();
    assert.equal(await care(viewer.page).getByRole('button', { name: 'Assign to me' }).count(), 0);

    await press(page, 'Assign to me');
    await care(viewer.page).getByText('Demo engineer').waitFor();
    await press(page, 'Assign');
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Part of the name').fill('zzz');
    await dialog.getByText('Nobody has this name.').waitFor();
    await dialog.getByLabel('Part of the name').fill('admin');
    await dialog.getByRole('button', { name: 'Demo admin' }).click();
    await care(viewer.page).getByText('Demo admin').waitFor();
    const adminId = (await drift(id)).assigneeId;

    await press(page, 'Add a ticket');
    await dialog.getByLabel('Page of the ticket').fill('javascript:alert(1)');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByText('must be a URL that begins with https://').waitFor();
    await dialog.getByLabel('Page of the ticket').fill(TICKET.replace('<b>', 'b'));
    await dialog.getByRole('button', { name: 'Save' }).click();
    const link = care(viewer.page).getByRole('link', { name: 'OPS-7' });
    await link.waitFor();
    assert.equal(await link.getAttribute('rel'), 'noopener noreferrer');

    await press(viewer.page, 'Watch');
    await care(viewer.page).getByText('you and 2 other people').waitFor();
    await visit(viewer.page, '#/drifts?watched=true');
    await eventually('the watched one', async () => (await rows(viewer.page).count()) === 1);
    await viewer.page.getByRole('button', { name: 'Remove the filter Watched by me' }).waitFor();
    await visit(viewer.page, `#/drifts/${id}`);
    await press(viewer.page, 'Stop watching');
    await care(viewer.page).getByText('2 people').waitFor();

    await list(page, `#/drifts?assignee=${adminId}`);
    assert.equal(await rows(page).count(), 1);
    await browser.farewell(engineer, viewer);
  });

  test('a snoozed drift leaves the open list, and returns with an alert', async () => {
    const { page, ...engineer } = await browser.person('engineer');
    await list(page);
    const all = (await api.get('/api/v1/drifts?status=detected&limit=100')).data.length;
    await eventually('all rows', async () => (await rows(page).count()) === all);
    const id = await openDrift(page, 3);
    await care(page).getByText('Snooze', { exact: true }).click();
    await press(page, '1 hour');
    await care(page).getByRole('button', { name: 'End the snooze' }).waitFor();
    assert.equal((await drift(id)).status, 'detected');
    await list(page);
    await eventually('one less', async () => (await rows(page).count()) === all - 1);
    await page.getByText('Filters', { exact: true }).click();
    await page.getByRole('search').getByLabel('Care').selectOption('Snoozed');
    await eventually('the snoozed one', async () => (await rows(page).count()) === 1);
    assert.equal(await rows(page).first().getAttribute('data-id'), id);

    const soon = new Date(Date.now() + 1_500).toISOString();
    succeeded(await api.patch(`/api/v1/drifts/${id}`, { snoozedUntil: soon }));
    await eventually('the end', async () => (await drift(id)).snoozedUntil === null);
    await list(page);
    await eventually('all again', async () => (await rows(page).count()) === all);
    await visit(page, '#/alerts?type=snooze_ended');
    await page.getByRole('link', { name: /Snooze ended: / }).waitFor();
    await browser.farewell(engineer);
  });

  test('an approval lasts until a date, and its end opens the drift again with an alert', async () => {
    const { page, ...engineer } = await browser.person('engineer');
    await list(page);
    const id = await openDrift(page, 4);
    await page.getByLabel('Why?').fill('until the move');
    await page.getByLabel('Approve until').selectOption('a date');
    const day = page.getByLabel('Last day of the approval');
    const chosen = await day.inputValue();
    assert.match(chosen, /^\d{4}-\d\d-\d\d$/, 'a month from now');
    await page.getByLabel('Why?').press('Control+Enter');
    await page.locator('.outcome').getByText('The approval lasts until').waitFor();
    const { approvedUntil } = await drift(id);
    const days = (new Date(approvedUntil) - Date.now()) / 86_400_000;
    assert.ok(days > 29 && days < 31.1, approvedUntil);

    succeeded(await api.post(`/api/v1/drifts/${id}/reopen`, {}));
    const until = new Date(Date.now() + 1_500).toISOString();
    succeeded(await api.post(`/api/v1/drifts/${id}/approve`, { reason: 'for a moment', until }));
    await page.locator('.history').getByText('Approval expired by the service').waitFor();
    await page.getByRole('button', { name: 'Approve', exact: true }).waitFor();
    await visit(page, '#/alerts?type=approval_expired');
    await page.getByRole('link', { name: /Approval expired: / }).waitFor();
    await browser.farewell(engineer);
  });

  test('a bulk approval has an end as well', async () => {
    const { page, ...engineer } = await browser.person('engineer');
    await list(page, '#/drifts?severity=info');
    const ids = await rows(page).evaluateAll((all) => all.map(({ dataset }) => dataset.id));
    await page.getByLabel('Select all shown drifts').check();
    await page.getByRole('region', { name: 'Selected drifts' }).getByRole('button', { name: 'Approve' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Why?').fill('ours');
    await dialog.getByLabel('Approve until').selectOption('a date');
    await dialog.getByRole('button', { name: 'Approve', exact: true }).click();
    await page.locator('.notice', { hasText: 'Approved: ' }).waitFor();
    for (const id of ids) assert.ok((await drift(id)).approvedUntil, id);
    await browser.farewell(engineer);
  });

  test('a drift that returns after each fix is marked, and shows its rhythm', async () => {
    const scan = async (minute, drifts) => {
      const plan = {
        format_version: '1.2',
        terraform_version: '1.11.4',
        complete: true,
        errored: false,
        timestamp: `2026-11-20T00:${String(minute).padStart(2, '0')}:00Z`,
        resource_drift: Array.from({ length: drifts }, () => ({
          address: 'aws_instance.flapping',
          mode: 'managed',
          type: 'aws_instance',
          name: 'flapping',
          change: {
            actions: ['update'],
            before: { id: 'i-1', instance_type: 't3.micro' },
            after: { id: 'i-1', instance_type: 't3.large' },
          },
        })),
      };
      succeeded(await api.ingest(JSON.stringify(plan), { stack: 'flapping', complete: true }));
    };
    for (let minute = 1; minute <= 7; minute += 1) await scan(minute, minute % 2);
    const { page, ...viewer } = await browser.person('viewer');
    await list(page, '#/drifts?flapping=true');
    assert.equal(await rows(page).count(), 1);
    await rows(page).first().getByText('returns', { exact: true }).waitFor();
    await openDrift(page, 0);
    await page.locator('.facts').getByText(/^Returns about every minute \(3 times\)$/).waitFor();
    await browser.farewell(viewer);
  });

  for (const [device, options] of Object.entries(DEVICES)) {
    test(`axe finds no serious fault in the panel and its dialogs, ${device}`, async () => {
      const { page, ...engineer } = await browser.person('engineer', options);
      await list(page);
      const id = await openDrift(page, 0);
      succeeded(await api.post(`/api/v1/drifts/${id}/comments`, { text: 'a comment' }));
      await page.locator('.comment').first().waitFor();
      await page.getByLabel('Approve until').selectOption('a date');
      await inspect(page, 'the panel');
      await care(page).getByText('Snooze', { exact: true }).click();
      await inspect(page, 'the snooze menu');
      await press(page, 'Assign');
      await page.getByRole('dialog').getByRole('button', { name: 'Demo admin' }).waitFor();
      await inspect(page, 'the choice of a person');
      await browser.farewell(engineer);
    });
  }
});
