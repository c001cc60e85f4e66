// Many drifts at once: groups by cause, all that match, the numbers of the filters, and exports.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';

import { succeeded } from '../lib/api.mjs';
import { allInOne } from '../lib/deployments.mjs';
import { sample } from '../lib/samples.mjs';
import { eventually } from '../lib/waiting.mjs';
import { Browser, rows, visit } from './browser.mjs';
import { DEVICES, inspect } from './inspect.mjs';

describe('many drifts in the console', () => {
  let app, api, browser;
  before(async () => {
    app = await allInOne();
    api = await app.api.login('engineer');
    const scan = await sample('fakeaws_20/scan1.plan.json');
    for (const stack of ['one', 'two', 'three']) succeeded(await api.ingest(scan, { stack }));
    browser = await Browser.start(app.api.origins.auth);
  });
  after(async () => {
    await browser?.stop();
    await app?.stop();
  });

  const ofStatus = async (query) => (await api.get(`/api/v1/drifts?limit=100&${query}`)).data;
  const groups = (page) => page.locator('.cause');
  const group = (page, text) => groups(page).filter({ hasText: text });
  const dialog = (page) => page.getByRole('dialog');

  test('drifts with one cause are decided together, and the decision is withdrawn together', async () => {
    const { page, ...engineer } = await browser.person('engineer');
    await visit(page, '#/drifts?stack=one,two');
    await rows(page).first().waitFor();
    await page.getByRole('button', { name: 'Group by cause' }).click();
    await page.waitForURL(/#\/drifts\?stack=one%2Ctwo&by=cause/);
    const name = 'aws_security_group · ingress_cidrs · 8 drifts in 2 stacks';
    const cause = group(page, name);
    await cause.getByRole('button', { name: 'Approve' }).click();
    await dialog(page).getByText('Covers 8 drifts: 8 open.').waitFor();
    await dialog(page).getByLabel('Why?').fill('a test');

    // Another decision arrives while the dialog is open.
    const key = await cause.getAttribute('data-key');
    const same = page.locator(`.cause[data-key="${key}"]`);
    const [other] = await ofStatus(`group=${key}&stack=one`);
    succeeded(await api.post(`/api/v1/drifts/${other.id}/resolve`));
    await dialog(page).getByRole('button', { name: 'Approve: 8 drifts' }).click();
    await dialog(page).getByText('7 drifts match, not 8.').waitFor();
    await dialog(page).getByText('Leaves out 1 resolved.').waitFor();
    await dialog(page).getByRole('button', { name: 'Approve: 7 drifts' }).click();
    await page.getByText('Approved: 7 drifts.').waitFor();
    await cause.waitFor({ state: 'detached' });
    const approved = await ofStatus('status=approved');
    assert.deepEqual([...new Set(approved.map(({ stack }) => stack))].sort(), ['one', 'two']);
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByText('Undone: 7 drifts open again.').waitFor();
    await same.getByText('7 drifts in 2 stacks').waitFor();
    assert.equal((await ofStatus('status=approved')).length, 0);

    // A drift that was rejected before stays rejected.
    const [before] = await ofStatus(`group=${key}&stack=two&status=detected`);
    succeeded(await api.post(`/api/v1/drifts/${before.id}/reject`, { reason: 'long ago' }));
    await same.filter({ hasText: '6 drifts in 2 stacks' }).getByRole('button', { name: 'Reject' }).click();
    await dialog(page).getByText('Leaves out 1 rejected, 1 resolved.').waitFor();
    await dialog(page).getByLabel('Why?').fill('a test');
    await dialog(page).getByRole('button', { name: 'Reject: 6 drifts' }).click();
    await page.locator('.notice', { hasText: 'Rejected: 6 drifts.' }).getByRole('button', { name: 'Undo' }).click();
    await page.getByText('Undone: 6 drifts open again.').waitFor();
    assert.deepEqual(
      (await ofStatus('status=rejected')).map(({ id }) => id),
      [before.id],
    );

    await same.filter({ hasText: '6 drifts in 2 stacks' }).getByRole('link').click();
    await page.waitForURL(/stack=one%2Ctwo&group=/);
    await eventually('the members', async () => (await rows(page).count()) === 6);
    await page.getByRole('button', { name: 'Remove the filter Cause: aws_security_group' }).click();
    await eventually('the others', async () => (await rows(page).count()) > 6);
    await browser.farewell(engineer);
  });

  test('the numbers of the filters follow the other filters', async () => {
    const { page, ...viewer } = await browser.person('viewer');
    await visit(page, '#/drifts?stack=three');
    await page.getByRole('button', { name: 'Only critical 13' }).waitFor();
    await page.getByRole('button', { name: 'Only info 3' }).click();
    await page.getByRole('button', { name: 'Open 3', exact: true }).waitFor();
    await page.getByRole('button', { name: 'Only critical 13' }).waitFor();
    await page.locator('summary', { hasText: 'Filters' }).click();
    const options = (id) => page.locator(`#${id} option`).allTextContents();
    assert.ok((await options('filter-kind')).includes('Changed (3)'));
    assert.deepEqual(await options('known-stack'), ['3 drifts', '3 drifts', '3 drifts']);
    const types = await page.locator('#known-resourceType option').evaluateAll((all) => all.map(({ value }) => value));
    assert.ok(types.length > 0 && types.every((type) => type.startsWith('aws_')));
    for (const id of ['known-region', 'known-accountId']) assert.notDeepEqual(await options(id), []);
    await page.keyboard.press('Escape');
    assert.equal(await groups(page).count(), 0);
    await visit(page, '#/drifts?by=cause');
    await groups(page).first().waitFor();
    assert.equal(await page.getByRole('button', { name: /^Approve:/ }).count(), 0, 'for engineers');
    await browser.farewell(viewer);
  });

  test('an export has exactly the drifts of the list', async () => {
    const { page, ...viewer } = await browser.person('viewer');
    await visit(page, '#/drifts?stack=three&severity=warning&sort=-severity');
    await eventually('the list', async () => (await rows(page).count()) === 4);
    const shown = await rows(page).evaluateAll((all) => all.map(({ dataset }) => dataset.id));
    const save = async (format) => {
      await page.locator('summary', { hasText: 'Export' }).click();
      const saved = page.waitForEvent('download');
      await page.getByRole('button', { name: format }).click();
      const download = await saved;
      await eventually('closed', async () => (await page.locator('.export[open]').count()) === 0);
      return { name: download.suggestedFilename(), text: await readFile(await download.path(), 'utf8') };
    };
    const json = await save('JSON');
    assert.equal(json.name, 'drifts.json');
    assert.deepEqual(
      JSON.parse(json.text).map(({ id }) => id),
      shown,
    );
    const csv = await save('CSV');
    assert.equal(csv.name, 'drifts.csv');
    for (const id of shown) assert.ok(csv.text.includes(id));
    const sarif = await save('SARIF');
    assert.equal(sarif.name, 'drifts.sarif');
    assert.equal(JSON.parse(sarif.text).runs[0].results.length, 4);
    await browser.farewell(viewer);
  });

  for (const [device, options] of Object.entries(DEVICES)) {
    test(`axe finds no serious fault in the groups and the menu, ${device}`, async () => {
      const { page, ...admin } = await browser.person('admin', options);
      await visit(page, '#/drifts?by=cause');
      await groups(page).first().waitFor();
      await inspect(page, 'the groups');
      await groups(page).first().getByRole('button', { name: 'Reject' }).click();
      await dialog(page).waitFor();
      await inspect(page, 'the decision');
      await page.keyboard.press('Escape');
      await page.locator('summary', { hasText: 'Export' }).click();
      await inspect(page, 'the exports');
      await browser.farewell(admin);
    });
  }

  test('all drifts that match are decided at once', async () => {
    const { page, ...engineer } = await browser.person('engineer');
    await visit(page, '#/drifts');
    await eventually('a page', async () => (await rows(page).count()) === 50);
    const bar = page.getByRole('region', { name: 'Selected drifts' });
    await page.getByLabel('Select all shown drifts').check();
    await bar.getByText('50 drifts selected').waitFor();
    await bar.getByRole('button', { name: 'Select all 58 that match' }).click();
    await bar.getByText('All 58 that match selected').waitFor();
    await rows(page).first().getByRole('checkbox').uncheck();
    await bar.getByText('49 drifts selected').waitFor();
    await page.getByLabel('Select all shown drifts').check();
    await bar.getByRole('button', { name: 'Select all 58 that match' }).click();
    await bar.getByRole('button', { name: 'Reject' }).click();
    await dialog(page).getByText('Covers 58 drifts: 58 open.').waitFor();
    await dialog(page).getByText('Leaves out 1 rejected, 1 resolved.').waitFor();
    await dialog(page).getByLabel('Why?').fill('all of them');
    await dialog(page).getByRole('button', { name: 'Reject: 58 drifts' }).click();
    await page.getByText('All decided').waitFor();
    assert.equal(await bar.isVisible(), false);
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByText('Undone: 58 drifts open again.').waitFor();

    succeeded(await api.ingest(await sample('fakeaws_2000/scan1.plan.json'), { stack: 'large' }));
    await page.getByRole('button', { name: 'Open 2,058' }).waitFor();
    await page.getByLabel('Select all shown drifts').check();
    await bar.getByRole('button', { name: 'Select all 2,058 that match' }).click();
    await bar.getByRole('button', { name: 'Approve' }).click();
    await page.getByText('One decision covers at most 2,000: narrow the filters.').waitFor();
    assert.equal((await ofStatus('status=approved')).length, 0);
    await visit(page, '#/drifts?by=cause');
    await eventually('a page of groups', async () => (await groups(page).count()) === 100);
    await page.getByRole('button', { name: 'More', exact: true }).click();
    await eventually('more groups', async () => (await groups(page).count()) > 100);
    await browser.farewell(engineer);
  });
});
