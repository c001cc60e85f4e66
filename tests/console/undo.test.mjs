// A decision: keys, drafts of the reason, undo, and the names of the people who decided.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { succeeded } from '../lib/api.mjs';
import { allInOne } from '../lib/deployments.mjs';
import { sample } from '../lib/samples.mjs';
import { eventually } from '../lib/waiting.mjs';
import { Browser, openDrift, rows, visit } from './browser.mjs';

describe('a decision in the console', () => {
  let app, api, browser;
  before(async () => {
    app = await allInOne();
    api = await app.api.login('engineer');
    await api.ingest(await sample('fakeaws_20/scan1.plan.json'), { stack: 'demo' });
    browser = await Browser.start(app.api.origins.auth);
  });
  after(async () => {
    await browser?.stop();
    await app?.stop();
  });

  const statusOf = (page, id) => page.locator(`tr[data-id="${id}"]`).getAttribute('data-status');
  const has = (page, id, status) => eventually(status, async () => (await statusOf(page, id)) === status);
  const stored = (page) => page.evaluate(() => sessionStorage.getItem('driftsentry.drafts'));
  const list = async (page) => {
    await visit(page, '#/drifts');
    await rows(page).first().waitFor();
  };

  test('keys decide and go on, a draft outlasts a visit and a reload, and undo withdraws', async () => {
    const { page, ...engineer } = await browser.person('engineer');
    await list(page);
    const first = await openDrift(page, 0);
    const reason = page.getByLabel('Why?');
    await reason.fill('not sure <i>yet</i>');
    const second = await openDrift(page, 1);
    assert.equal(await reason.inputValue(), '');
    await openDrift(page, 0);
    await eventually('the draft', async () => (await reason.inputValue()) === 'not sure <i>yet</i>');
    await page.reload();
    await eventually(
      'the draft after a reload',
      async () => (await reason.inputValue()) === 'not sure <i>yet</i>',
    );

    // Enter is a new line, Ctrl Enter takes the action of the last key, and the notice undoes it.
    await page.locator('.detail').press('r');
    await reason.press('End');
    await reason.press('Enter');
    await reason.press('Control+Enter');
    await has(page, first, 'rejected');
    await page.locator('.outcome').getByText('Rejected by you').waitFor();
    assert.equal(await stored(page), null, 'the draft is deleted');
    const notice = page.locator('.notice', { hasText: 'Rejected: ' });
    await notice.getByRole('button', { name: 'Undo' }).click();
    await page.getByText('is open again').waitFor();
    await has(page, first, 'detected');

    // Shift Enter decides, and opens the next open drift; u undoes without the pointer.
    await page.getByRole('button', { name: 'Approve', exact: true }).waitFor();
    await reason.fill('planned');
    await reason.press('Shift+Enter');
    await has(page, first, 'approved');
    await page.waitForURL(new RegExp(`#/drifts/${second}`));
    await page.locator('.detail').press('u');
    await has(page, first, 'detected');
    assert.equal((await api.get(`/api/v1/drifts/${first}`)).data.status, 'detected');
    await browser.farewell(engineer);
  });

  test('a bulk decision is sent and withdrawn as a whole', async () => {
    const { page, ...engineer } = await browser.person('engineer');
    await visit(page, '#/drifts?severity=info&status=any');
    await rows(page).first().waitFor();
    const count = await rows(page).count();
    await page.getByLabel('Select all shown drifts').check();
    await page
      .getByRole('region', { name: 'Selected drifts' })
      .getByRole('button', { name: 'Approve' })
      .click();
    const reason = page.getByRole('dialog').getByLabel('Why?');
    await reason.fill('ours');
    await reason.press('Shift+Enter');
    await eventually(
      'approved',
      async () => (await page.locator('tr[data-status="approved"]').count()) === count,
    );
    await page.getByRole('button', { name: 'Undo' }).click();
    await eventually(
      'open',
      async () => (await page.locator('tr[data-status="detected"]').count()) === count,
    );
    await browser.farewell(engineer);
  });

  test('a decision of somebody else is named, and cannot be undone from here', async () => {
    const { page, ...engineer } = await browser.person('engineer');
    await list(page);
    const id = await openDrift(page, 2);
    const admin = await app.api.login('admin');
    // The other decision arrives while this one is on its way.
    await page.getByLabel('Why?').fill('mine');
    await page.route('**/approve', async (route) => {
      succeeded(await admin.post(`/api/v1/drifts/${id}/reject`, { reason: 'theirs' }));
      await route.continue();
    });
    await page.getByLabel('Why?').press('Control+Enter');
    await page.getByRole('alert').getByText('Not decided: Demo admin was faster.').waitFor();
    await page.locator('.outcome').getByText('Rejected by Demo admin').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Reopen' }).count(), 0, 'for admins only');
    await browser.farewell(engineer);
  });

  test('the decision sticks to the bottom of the panel, without a gap', async () => {
    const { page, ...engineer } = await browser.person('engineer', {
      viewport: { width: 1280, height: 560 },
    });
    const states = ['old', 'new'].map((value) =>
      Object.fromEntries(Array.from('abcdefghij', (name) => [name, value])),
    );
    const body = {
      stack: 'long',
      resourceType: 'x',
      resourceId: 'long',
      expectedState: states[0],
      actualState: states[1],
    };
    const { id } = succeeded(await api.post('/api/v1/drifts', body)).data;
    await visit(page, `#/drifts/${id}`);
    await page.locator('.history').waitFor();
    const gap = () =>
      page.evaluate(() => {
        const [panel, bar] = ['.detail', '.deciding'].map((name) =>
          document.querySelector(name).getBoundingClientRect(),
        );
        return Math.abs(panel.bottom - bar.bottom);
      });
    assert.ok((await gap()) <= 1, `${await gap()} px`);
    await browser.farewell(engineer);
  });
});
