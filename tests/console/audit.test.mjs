// The audit log in the console: the object of each row, folded scans, filters in the address, absolute times.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';

import { succeeded } from '../lib/api.mjs';
import { allInOne } from '../lib/deployments.mjs';
import { sample } from '../lib/samples.mjs';
import { eventually } from '../lib/waiting.mjs';
import { Browser, live, visit } from './browser.mjs';

describe('the audit log', () => {
  let app, browser, drifts;
  before(async () => {
    app = await allInOne();
    browser = await Browser.start(app.api.origins.auth);
    const engineer = await app.api.login('engineer');
    await engineer.ingest(await sample('fakeaws_20/scan1.plan.json'), { stack: 'demo' });
    drifts = await engineer.list('/api/v1/drifts');
    const [first, ...others] = drifts;
    succeeded(await engineer.post(`/api/v1/drifts/${first.id}/reject`, { reason: 'not <u>ours</u>' }));
    const ids = others.slice(0, 5).map(({ id }) => id);
    succeeded(await engineer.post('/api/v1/drifts/bulk', { action: 'reject', ids, reason: 'all of them' }));
    const admin = await app.api.login('admin');
    succeeded(await admin.delete(`/api/v1/drifts/${drifts.at(-1).id}`));
  });
  after(async () => {
    await browser?.stop();
    await app?.stop();
  });

  test('each row leads to its object, and a scan is one line that expands', async () => {
    const { page, ...admin } = await browser.person('admin');
    await visit(page, '#/admin/audit');
    const rejected = page.getByRole('row', { name: /Drift rejected/ }).filter({ hasText: 'not <u>ours</u>' });
    const link = rejected.getByRole('link', { name: drifts[0].address });
    assert.equal(await link.getAttribute('href'), `#/drifts/${drifts[0].id}`);
    await rejected.getByRole('link', { name: 'Demo engineer' }).waitFor();
    await page
      .getByRole('row', { name: /Drift deleted/ })
      .getByText('(deleted)')
      .first()
      .waitFor();
    // Absolute, with its zone; in ISO 8601 on hover.
    const time = rejected.locator('time');
    assert.match(await time.textContent(), /^\d+ \w+ \d{4}, \d\d:\d\d:\d\d \S+$/);
    assert.match(await time.getAttribute('title'), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$/);

    const bulk = page.getByRole('row', { name: /5 drifts rejected/ });
    await bulk.getByText('all of them').waitFor();
    const scan = page.getByRole('button', { name: '20 drifts created' });
    assert.match(await scan.textContent(), /13 alerts created/);
    const created = page.getByRole('row', { name: /Drift created/ });
    assert.equal(await created.count(), 0);
    await scan.click();
    assert.equal(await scan.getAttribute('aria-expanded'), 'true');
    await eventually('its rows', async () => (await created.count()) === 20);
    await created.getByRole('link', { name: drifts[3].address, exact: true }).waitFor();
    await browser.farewell(admin);
  });

  test('the filters are in the address, and survive a reload', async () => {
    const { page, ...admin } = await browser.person('admin');
    await visit(page, '#/admin/audit');
    await page.getByRole('row', { name: /5 drifts rejected/ }).waitFor();
    await page.getByLabel('Action').selectOption('drift.delete');
    await eventually('one row', async () => (await page.locator('tbody tr').count()) === 1);
    await page.getByLabel('Who').selectOption({ label: 'Demo engineer' });
    await page.getByText('No entry matches these filters').waitFor();
    await page.getByLabel('Who').selectOption({ label: 'Demo admin' });
    await page.getByRole('row', { name: /Drift deleted/ }).waitFor();
    assert.match(page.url(), /#\/admin\/audit\?action=drift.delete&actor=/);
    await page.reload();
    await live(page);
    await page.getByRole('row', { name: /Drift deleted/ }).waitFor();
    assert.equal(await page.getByLabel('Action').inputValue(), 'drift.delete');
    await eventually(
      'the name',
      async () => (await page.getByLabel('Who').locator('option:checked').textContent()) === 'Demo admin',
    );

    // One object, from its row.
    await page.getByLabel('Action').selectOption('');
    await page.getByLabel('Who').selectOption('');
    const row = page.getByRole('row', { name: /not <u>ours<\/u>/ });
    await row.getByRole('link', { name: 'entries' }).click();
    await eventually('its two rows', async () => (await page.locator('tbody tr').count()) === 2);
    assert.equal(await page.title(), '(12) Audit · Admin · DriftSentry');
    await page.getByRole('button', { name: 'Remove the filter of one object' }).click();
    await page.getByRole('row', { name: /5 drifts rejected/ }).waitFor();

    // Exactly the rows that the filters select.
    await page.getByLabel('Action').selectOption('drift.delete');
    await page.getByRole('row', { name: /Drift deleted/ }).waitFor();
    await page.getByText('Export', { exact: true }).click();
    const [saved] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'JSON' }).click(),
    ]);
    assert.equal(saved.suggestedFilename(), 'audit.json');
    const exported = JSON.parse(await readFile(await saved.path(), 'utf8'));
    assert.deepEqual(
      exported.map(({ action, entityId }) => [action, entityId]),
      [['drift.delete', drifts.at(-1).id]],
    );

    await page.getByRole('button', { name: 'Logins and users' }).click();
    await page.locator('.export').waitFor({ state: 'hidden' });
    await page.getByLabel('Action').selectOption('login');
    await page.waitForURL(/source=auth&action=login/);
    await page
      .getByRole('row', { name: /Login.*Demo engineer/ })
      .first()
      .waitFor();
    await browser.farewell(admin);
  });
});
