// Saved views, the words of the search, and the command palette that finds stacks, views and users.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { allInOne } from '../lib/deployments.mjs';
import { planOf } from '../lib/plans.mjs';
import { sample } from '../lib/samples.mjs';
import { eventually } from '../lib/waiting.mjs';
import { Browser, openDrift, rows, visit } from './browser.mjs';

describe('views and search in the console', () => {
  let app, browser;
  before(async () => {
    app = await allInOne();
    const api = await app.api.login('engineer');
    await api.ingest(await sample('fakeaws_20/scan1.plan.json'), { stack: 'prod/web' });
    await api.ingest(planOf(10), { stack: 'staging' });
    browser = await Browser.start(app.api.origins.auth);
  });
  after(async () => {
    await browser?.stop();
    await app?.stop();
  });

  const openMenu = async (page) => {
    await page.locator('summary', { hasText: 'Views' }).click();
    await page.getByRole('button', { name: 'Save this view' }).waitFor();
  };

  test('a view keeps filters, order and columns, is shared, renamed and deleted', async () => {
    const engineer = await browser.person('engineer');
    const { page } = engineer;
    await visit(page, '#/drifts?severity=critical&stack=prod%2Fweb&sort=detectedAt');
    await rows(page).first().waitFor();
    await page.locator('summary', { hasText: 'Columns' }).click();
    await page.getByRole('checkbox', { name: 'Type' }).check();
    await page.keyboard.press('Escape');
    const count = await rows(page).count();
    await openMenu(page);
    await page.getByRole('button', { name: 'Save this view' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('Critical <b>web</b>');
    await dialog.getByLabel('Share it').check();
    await dialog.getByLabel('Name').press('Control+Enter');
    await page.getByText('View saved: Critical <b>web</b>').waitFor();

    const viewer = await browser.person('viewer');
    await visit(viewer.page, '#/drifts');
    await rows(viewer.page).first().waitFor();
    await openMenu(viewer.page);
    const others = viewer.page.getByRole('list', { name: 'Shared by others' });
    await others.getByText('by Demo engineer').waitFor();
    assert.equal(await viewer.page.getByRole('button', { name: /^(Share|Stop sharing|Rename|Delete)/ }).count(), 0);
    await others.getByRole('button', { name: 'Critical <b>web</b>' }).click();
    await viewer.page.waitForURL(/severity=critical/);
    await eventually('the same drifts', async () => (await rows(viewer.page).count()) === count);
    assert.equal(await viewer.page.getByLabel('Sort by').inputValue(), 'detectedAt');
    await viewer.page.getByRole('columnheader', { name: 'Type' }).waitFor();
    assert.equal(await viewer.page.locator('.views-menu[open]').count(), 0);

    await openMenu(page);
    const mine = page.getByRole('list', { name: 'My views' });
    await mine.getByRole('button', { name: 'Rename Critical' }).click();
    await dialog.getByLabel('Name').fill('Web');
    await dialog.getByRole('button', { name: 'Rename' }).click();
    await dialog.waitFor({ state: 'detached' });
    await openMenu(page);
    await mine.getByText('Web', { exact: true }).waitFor();
    await mine.getByRole('button', { name: 'Stop sharing: Web' }).click();
    await mine.getByRole('button', { name: 'Share: Web' }).waitFor();
    await openMenu(viewer.page);
    await viewer.page.getByText('A view keeps the filters').waitFor();

    // The palette finds it, too.
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+k');
    await page.getByRole('dialog', { name: 'Go to' }).getByRole('combobox').fill('web');
    await page.getByRole('option', { name: 'Web view' }).click();
    await page.waitForURL(/severity=critical/);
    await openMenu(page);
    await mine.getByRole('button', { name: 'Delete: Web' }).click();
    await page.getByText('A view keeps the filters').waitFor();
    await browser.farewell(engineer, viewer);
  });

  test('words search one thing each, and values in an open drift lead to a search', async () => {
    const { page, ...engineer } = await browser.person('engineer');
    await visit(page, '#/drifts');
    await rows(page).first().waitFor();
    const search = page.getByLabel('Search drifts');
    assert.ok(await page.locator('.search-help').isHidden());
    await search.focus();
    await page.getByText('Words search one of them').waitFor();
    await page.getByRole('button', { name: 'stack:prod' }).click();
    await page.keyboard.type('staging');
    assert.ok(await page.locator('.search-help').isHidden(), 'it does not cover the results');
    await page.waitForURL(/q=stack%3Astaging/);
    await eventually('the drifts of the stack', async () => (await rows(page).count()) === 10);
    await search.fill('stack:staging attr:size');
    await eventually('those with a changed size', async () => (await rows(page).count()) === 8);

    await search.fill('');
    await page.waitForURL((url) => !url.hash.includes('q='));
    await search.press('Escape');
    await openDrift(page, 0);
    const link = page.locator('.detail').getByRole('link', { name: /^Search for attr:/ }).first();
    const words = (await link.getAttribute('aria-label')).replace('Search for ', '');
    await link.click();
    await eventually('the search', async () => (await search.inputValue()) === words);
    await rows(page).first().waitFor();
    await openDrift(page, 0);
    await page.getByRole('link', { name: 'Search for stack:prod/web' }).click();
    await eventually('the stack', async () => (await rows(page).count()) === 20);
    await browser.farewell(engineer);
  });

  test('the palette finds stacks for everybody, and users for admins', async () => {
    const admin = await browser.person('admin');
    const palette = (page) => page.getByRole('dialog', { name: 'Go to' });
    await admin.page.keyboard.press('Control+k');
    await palette(admin.page).getByRole('combobox').fill('demo viewer');
    await palette(admin.page).getByRole('option', { name: 'Demo viewer viewer@driftsentry.local' }).click();
    await admin.page.waitForURL(/#\/admin\/users\/[\da-f-]{36}/);

    const viewer = await browser.person('viewer');
    await viewer.page.keyboard.press('Control+k');
    await palette(viewer.page).getByRole('combobox').fill('demo viewer');
    await palette(viewer.page).getByRole('status').getByText('No match.').waitFor();
    await palette(viewer.page).getByRole('combobox').fill('prod/w');
    await palette(viewer.page).getByRole('option', { name: /prod\/web stack/ }).click();
    await viewer.page.waitForURL(/#\/stacks\/prod%2Fweb/);
    await browser.farewell(admin, viewer);
  });
});
