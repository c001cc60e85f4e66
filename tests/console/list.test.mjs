// The list of drifts: order, columns, density, the place beside an open drift, and decisions on many.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { succeeded } from '../lib/api.mjs';
import { allInOne } from '../lib/deployments.mjs';
import { planOf } from '../lib/plans.mjs';
import { sample } from '../lib/samples.mjs';
import { eventually } from '../lib/waiting.mjs';
import { Browser, live, openDrift, rows, visit } from './browser.mjs';
import { DEVICES, inspect } from './inspect.mjs';

describe('the list of drifts', () => {
  let app, api, browser;
  before(async () => {
    app = await allInOne();
    api = await app.api.login('engineer');
    await api.ingest(await sample('fakeaws_20/scan1.plan.json'), { stack: 'demo' });
    await api.ingest(planOf(120), { stack: 'many' });
    browser = await Browser.start(app.api.origins.auth);
  });
  after(async () => {
    await browser?.stop();
    await app?.stop();
  });

  const list = async (page, path = '#/drifts?stack=demo') => {
    await visit(page, path);
    await rows(page).first().waitFor();
  };
  const heads = (page) => page.getByRole('columnheader').allTextContents();
  const order = (page, name) => page.getByRole('columnheader', { name }).getAttribute('aria-sort');
  const severities = (page) => page.locator('tr[data-id] .severity').evaluateAll((all) => all.map((mark) => mark.getAttribute('aria-label')));

  test('the worst drifts come first, and the heads of the columns sort', async () => {
    const { page, ...engineer } = await browser.person('engineer');
    await list(page);
    const rank = ['critical', 'warning', 'info'];
    const shown = await severities(page);
    assert.deepEqual(shown, shown.toSorted((one, other) => rank.indexOf(one) - rank.indexOf(other)));
    assert.equal(await order(page, 'Severity'), 'descending');
    assert.equal(await order(page, 'Detected'), 'none');
    assert.equal(await order(page, 'Where'), null, 'the server cannot sort by it');

    await page.getByRole('columnheader', { name: 'Detected' }).getByRole('button').focus();
    await page.keyboard.press('Enter');
    await page.waitForURL(/sort=-detectedAt/);
    assert.equal(await order(page, 'Detected'), 'descending');
    assert.equal(await page.getByLabel('Sort by').inputValue(), '-detectedAt');
    const focused = () => page.evaluate(() => document.activeElement.dataset.key);
    assert.equal(await focused(), 'detectedAt', 'the focus stays on the head');
    await page.keyboard.press('Enter');
    await page.waitForURL(/sort=detectedAt/);
    assert.equal(await order(page, 'Detected'), 'ascending');
    await page.getByRole('columnheader', { name: 'Severity' }).getByRole('button').click();
    await page.waitForURL((url) => !url.hash.includes('sort='));
    await browser.farewell(engineer);
  });

  test('each tab has its columns, which a person chooses, and rows can be compact', async () => {
    const { page, ...engineer } = await browser.person('engineer');
    await list(page);
    assert.deepEqual((await heads(page)).slice(3), ['Where', 'Status', 'Detected']);
    await page.locator('summary', { hasText: 'Columns' }).click();
    await page.getByRole('checkbox', { name: 'Account' }).check();
    await page.getByRole('checkbox', { name: 'Status' }).uncheck();
    await page.keyboard.press('Escape');
    assert.deepEqual((await heads(page)).slice(3), ['Where', 'Account', 'Detected']);
    const height = () => rows(page).first().evaluate(({ offsetHeight }) => offsetHeight);
    const before = await height();
    await page.locator('summary', { hasText: 'Columns' }).click();
    await page.getByLabel('Compact').check();
    assert.ok((await height()) < 0.75 * before);

    const [{ id }] = (await api.get('/api/v1/drifts?stack=demo&limit=1')).data;
    succeeded(await api.post(`/api/v1/drifts/${id}/approve`, { reason: 'for the column' }));
    await visit(page, '#/drifts?stack=demo&status=approved');
    await rows(page).getByText('for the column').waitFor();
    await rows(page).getByText('Demo engineer').or(rows(page).getByText('you')).first().waitFor();
    assert.deepEqual((await heads(page)).slice(3), ['Where', 'Status', 'Decided', 'Reason']);
    await page.reload();
    await live(page);
    await list(page);
    assert.deepEqual((await heads(page)).slice(3), ['Where', 'Account', 'Detected'], 'kept');
    assert.ok((await height()) < 0.75 * before, 'kept');

    // The columns of a shared address are shown, and are not kept.
    await list(page, '#/drifts?stack=demo&columns=type,seen');
    assert.deepEqual((await heads(page)).slice(3), ['Type', 'Last seen']);
    await list(page);
    assert.deepEqual((await heads(page)).slice(3), ['Where', 'Account', 'Detected']);
    await browser.farewell(engineer);
  });

  test('stack and region stay visible beside an open drift', async () => {
    const { page, ...viewer } = await browser.person('viewer');
    await list(page);
    await openDrift(page, 1);
    const row = rows(page).nth(1);
    const { stack, region } = (await api.get(`/api/v1/drifts/${await row.getAttribute('data-id')}`)).data;
    await row.getByText(`${stack} · ${region}`).waitFor();
    await browser.farewell(viewer);
  });

  test('after a decision on many, the next drifts take their places', async () => {
    const { page, ...engineer } = await browser.person('engineer');
    await list(page, '#/drifts?stack=many');
    await eventually('a page', async () => (await rows(page).count()) === 50);
    const shown = () => rows(page).evaluateAll((all) => all.map(({ dataset }) => dataset.id));
    const before = await shown();
    const bar = page.getByRole('region', { name: 'Selected drifts' });
    await page.getByLabel('Select all shown drifts').check();
    await bar.getByRole('button', { name: 'Approve' }).click();
    const reason = page.getByRole('dialog').getByLabel('Why?');
    await reason.fill('planned');
    await reason.press('Control+Enter');
    await page.getByText('Approved: 50 drifts.').waitFor();
    await eventually('a page of others', async () => {
      const ids = await shown();
      return ids.length >= 50 && !ids.some((id) => before.includes(id));
    });
    await eventually('all others', async () => {
      await page.locator('.list').evaluate((list) => (list.scrollTop = list.scrollHeight));
      return (await rows(page).count()) === 70;
    });
    await page.locator('.list').evaluate((list) => (list.scrollTop = 0));
    const now = await shown();
    assert.equal(await page.locator('tr[data-status="approved"]').count(), 0);
    assert.equal(await bar.isVisible(), false);

    // One of them, by keyboard: the focus goes on to the next row.
    await rows(page).first().locator('.row-link').focus();
    await page.keyboard.press('r');
    await page.getByRole('dialog').getByLabel('Why?').fill('not ours');
    await page.getByRole('dialog').getByLabel('Why?').press('Shift+Enter');
    await eventually('one less', async () => (await rows(page).count()) === 69);
    await eventually('the next row', () =>
      page.evaluate((id) => document.activeElement.closest('tr')?.dataset.id === id, now[1]),
    );

    await page.locator('.notice', { hasText: 'Approved: 50 drifts.' }).getByRole('button', { name: 'Undo' }).click();
    await eventually('the others again', async () => (await shown()).includes(before[0]));
    await browser.farewell(engineer);
  });

  test('Ctrl Enter and Shift Enter send the reason for a group and for all that match', async () => {
    const { page, ...engineer } = await browser.person('engineer');
    await visit(page, '#/drifts?stack=demo&by=cause');
    const groups = page.locator('.cause');
    await groups.first().waitFor();
    const count = await groups.count();
    await groups.first().getByRole('button', { name: 'Approve' }).click();
    const reason = page.getByRole('dialog').getByLabel('Why?');
    await reason.fill('a cause');
    await reason.press('Control+Enter');
    await page.getByText(/^Approved: /).waitFor();
    await eventually('one cause less', async () => (await groups.count()) < count);

    await list(page, '#/drifts?stack=demo&severity=info');
    await page.getByLabel('Select all shown drifts').check();
    await page.getByRole('region', { name: 'Selected drifts' }).getByRole('button', { name: 'Reject' }).click();
    await reason.fill('tags are ours');
    await reason.press('Shift+Enter');
    await page.getByText(/^Rejected: /).waitFor();
    await browser.farewell(engineer);
  });

  test('on a phone, the bar of a decision is just above the navigation', async () => {
    const { page, ...engineer } = await browser.person('engineer', DEVICES['on a phone']);
    await list(page, '#/drifts?stack=many');
    await rows(page).first().getByRole('checkbox').check();
    await page.evaluate(() => Promise.all(document.getAnimations().map(({ finished }) => finished)));
    const gap = await page.evaluate(() => {
      const [bar, navigation] = ['.bulk', '.nav'].map((name) => document.querySelector(name).getBoundingClientRect());
      return Math.abs(navigation.top - bar.bottom);
    });
    assert.ok(gap <= 1, `${gap} px`);
    await browser.farewell(engineer);
  });

  for (const [device, options] of Object.entries(DEVICES)) {
    test(`axe finds no serious fault in the list and its menus, ${device}`, async () => {
      const { page, ...engineer } = await browser.person('engineer', options);
      await list(page, '#/drifts?stack=many&columns=where,type,account,status,cost,scans,seen,age');
      await page.locator('summary', { hasText: 'Columns' }).click();
      await inspect(page, 'the columns');
      await page.getByLabel('Compact').check();
      await page.keyboard.press('Escape');
      await page.getByLabel('Search drifts').focus();
      await inspect(page, 'compact rows, with the help of the search');
      await page.keyboard.press('Escape');
      await page.locator('summary', { hasText: 'Views' }).click();
      await page.getByRole('button', { name: 'Save this view' }).waitFor();
      await inspect(page, 'the views');
      await page.getByRole('button', { name: 'Save this view' }).click();
      await page.getByRole('dialog').waitFor();
      await inspect(page, 'saving a view');
      await page.keyboard.press('Escape');
      await openDrift(page, 0);
      await inspect(page, 'an open drift');
      await browser.farewell(engineer);
    });
  }
});
