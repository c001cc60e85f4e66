// Parts of every view: the command palette, titles, the zone of times, cards on a phone, paper.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { succeeded } from '../lib/api.mjs';
import { allInOne } from '../lib/deployments.mjs';
import { sample } from '../lib/samples.mjs';
import { eventually } from '../lib/waiting.mjs';
import { Browser, openDrift, rows, visit } from './browser.mjs';
import { DEVICES, inspect } from './inspect.mjs';

describe('everywhere in the console', () => {
  let app, browser;
  before(async () => {
    app = await allInOne();
    browser = await Browser.start(app.api.origins.auth);
    await (
      await app.api.login('engineer')
    ).ingest(await sample('fakeaws_20/scan1.plan.json'), { stack: 'demo' });
  });
  after(async () => {
    await browser?.stop();
    await app?.stop();
  });

  for (const device of ['in light', 'in dark']) {
    test(`the command palette finds views, drifts and actions by keyboard alone, ${device}`, async () => {
      const { page, ...engineer } = await browser.person('engineer', DEVICES[device]);
      const link = page.getByRole('link', { name: 'Account' });
      await link.focus();
      await page.keyboard.press('Control+k');
      const dialog = page.getByRole('dialog', { name: 'Go to' });
      const input = dialog.getByRole('combobox');
      await dialog.getByRole('option', { name: 'Overview' }).waitFor();
      assert.equal(await dialog.getByRole('option', { name: /^Admin/ }).count(), 0, 'for admins only');
      await inspect(page, 'the palette');
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
      assert.ok(await link.evaluate((element) => element === document.activeElement), 'the focus returns');

      await page.keyboard.press('Meta+k');
      await dialog.getByRole('option', { name: 'Overview' }).waitFor();
      await page.keyboard.type('logs.0004');
      await dialog.getByRole('status').getByText(/^1 result\./).waitFor();
      const chosen = await input.getAttribute('aria-activedescendant');
      assert.match(await page.locator(`#${chosen}`).textContent(), /logs\.0004.*demo/);
      await page.keyboard.press('Enter');
      await page.locator('.detail h2').getByText('logs.0004').waitFor();
      assert.match(await page.title(), /aws_s3_bucket\.b\["logs\.0004"\] · Drifts · DriftSentry$/);

      await page.keyboard.press('Control+k');
      await dialog.getByRole('option', { name: 'Alerts' }).waitFor();
      for (let step = 0; step < 3; step += 1) await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Enter');
      await page.waitForURL(/#\/alerts/);
      await page.keyboard.press('Control+k');
      await dialog.getByRole('option', { name: 'Overview' }).waitFor();
      await page.keyboard.type('log out');
      await page.keyboard.press('Enter');
      await page.getByText('You are logged out.').waitFor();
      assert.equal(await page.title(), 'Log in · DriftSentry');
      await browser.farewell(engineer);
    });
  }

  test('times are in the zone of the device or in UTC, as this browser keeps it', async () => {
    const { page, ...viewer } = await browser.person('viewer', { timezoneId: 'Asia/Kolkata' });
    await visit(page, '#/account');
    const time = page.locator('.session.is-current time').first();
    assert.match(await time.getAttribute('title'), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+05:30$/);
    await page.getByLabel('Show times in').selectOption('utc');
    assert.match(await time.getAttribute('title'), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.match(await page.getByText(/^Now: /).textContent(), /UTC$/);
    await page.reload();
    await eventually('kept', async () => (await page.getByLabel('Show times in').inputValue()) === 'utc');
    assert.match(await time.getAttribute('title'), /Z$/);
    await browser.farewell(viewer);
  });

  test('on a phone, the tables of the administration are cards with the names of their columns', async () => {
    const root = await app.api.login('admin');
    succeeded(
      await root.post('/api/auth/tokens', { name: 'a-long-name-of-a-token'.repeat(4), role: 'viewer' }),
    );
    const { page, ...admin } = await browser.person('admin', DEVICES['on a phone']);
    for (const [part, column] of [
      ['users', 'Last seen'],
      ['tokens', 'Expires'],
      ['audit', 'Object'],
    ]) {
      await visit(page, `#/admin/${part}`);
      const cell = page.locator(`td[data-label="${column}"]`).first();
      await cell.waitFor();
      const shown = await cell.evaluate((element) => getComputedStyle(element, '::before').content);
      assert.equal(shown, `"${column}"`);
      const table = page.locator('.table');
      assert.ok(
        await table.evaluate(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth),
        `${part} scrolls`,
      );
      await inspect(page, part);
    }
    await visit(page, '#/admin/users');
    await page.getByRole('button', { name: 'Disable Demo viewer' }).waitFor();
    await browser.farewell(admin);
  });

  test('on paper, a list, a drift and the audit log have no controls and no cut', async () => {
    const { page, ...admin } = await browser.person('admin', { colorScheme: 'dark' });
    await page.emulateMedia({ media: 'print' });
    const isHidden = (name) => page.locator(name).first().isHidden();
    const isWhite = () =>
      page.evaluate(
        () => getComputedStyle(document.documentElement).backgroundColor === 'rgb(255, 255, 255)',
      );
    await visit(page, '#/drifts');
    await rows(page).first().waitFor();
    for (const name of ['.side', '.filters', '.view-actions']) assert.ok(await isHidden(name), name);
    assert.ok(
      await page
        .locator('.list')
        .evaluate(({ scrollHeight, clientHeight }) => scrollHeight <= clientHeight + 1),
    );
    assert.ok(await isWhite());
    await page.emulateMedia({ media: 'screen' });
    await openDrift(page, 0);
    await page.emulateMedia({ media: 'print' });
    for (const name of ['.list-pane', '.deciding', '.copy-button']) assert.ok(await isHidden(name), name);
    assert.ok(
      await page
        .locator('.detail')
        .evaluate(({ scrollHeight, clientHeight }) => scrollHeight <= clientHeight + 1),
    );
    await visit(page, '#/admin/audit');
    await page.locator('tbody tr').first().waitFor();
    for (const name of ['.side', '.chips', '.filter-row']) assert.ok(await isHidden(name), name);
    await browser.farewell(admin);
  });
});
