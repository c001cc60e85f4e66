// Two people at one drift: each sees that the other is deciding, and nobody is hindered.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { succeeded } from '../lib/api.mjs';
import { allInOne } from '../lib/deployments.mjs';
import { sample } from '../lib/samples.mjs';
import { eventually } from '../lib/waiting.mjs';
import { Browser, openDrift, rows, visit } from './browser.mjs';
import { DEVICES, inspect } from './inspect.mjs';

describe('who is deciding', () => {
  let app, browser;
  before(async () => {
    app = await allInOne();
    const api = await app.api.login('engineer');
    await api.ingest(await sample('fakeaws_20/scan1.plan.json'), { stack: 'demo' });
    browser = await Browser.start(app.api.origins.auth);
  });
  after(async () => {
    await browser?.stop();
    await app?.stop();
  });

  const list = async ({ page }) => {
    await visit(page, '#/drifts');
    await rows(page).first().waitFor();
  };
  const panelOf = ({ page }) => page.locator('.others-deciding');
  const markIn = ({ page }, id) => page.locator(`tr[data-id="${id}"] .row-deciding`);
  const gone = (locator) => locator.waitFor({ state: 'hidden' });

  test('a reason that somebody writes is announced to others, in the row and in the panel', async () => {
    const admin = await browser.person('admin', DEVICES['in light']);
    const engineer = await browser.person('engineer');
    await list(admin);
    await list(engineer);
    const id = await openDrift(engineer.page, 0);
    await openDrift(admin.page, 0);
    await admin.page.evaluate(() => (window.changes = 0));
    await engineer.page.getByLabel('Why?').fill('I think');
    await panelOf(admin).getByText('Demo engineer is deciding').waitFor();
    await markIn(admin, id).getByText('Demo engineer is deciding').waitFor();
    await inspect(admin.page, 'a drift on which somebody decides');
    assert.equal(await panelOf(engineer).isVisible(), false, 'not to oneself');
    assert.equal(await admin.page.locator('tr.changing').count(), 0, 'no drift has changed');

    // Somebody who opens the drift now sees it as well.
    const viewer = await browser.person('viewer');
    await list(viewer);
    await openDrift(viewer.page, 0);
    await panelOf(viewer).getByText('Demo engineer is deciding').waitFor();

    // It ends with the reason, and with the visit to the drift.
    await engineer.page.getByLabel('Why?').fill('');
    await gone(panelOf(admin));
    await gone(markIn(admin, id));
    await engineer.page.getByLabel('Why?').fill('again');
    await panelOf(admin).waitFor();
    await openDrift(engineer.page, 1);
    await gone(panelOf(admin));

    // It hinders nobody.
    await openDrift(engineer.page, 0);
    await engineer.page.getByLabel('Why?').fill('not yet');
    await panelOf(admin).waitFor();
    await admin.page.getByLabel('Why?').fill('decided at once');
    await admin.page.getByLabel('Why?').press('Control+Enter');
    await engineer.page.locator('.outcome').getByText('Approved by Demo admin').waitFor();
    await gone(panelOf(engineer));
    await gone(panelOf(admin));
    await browser.farewell(admin, engineer, viewer);
  });

  test('a dialog for many drifts is announced on each, as long as it is open', async () => {
    const admin = await browser.person('admin');
    const engineer = await browser.person('engineer');
    await list(admin);
    await list(engineer);
    const ids = [];
    for (const place of [3, 4]) {
      ids.push(await rows(engineer.page).nth(place).getAttribute('data-id'));
      await rows(engineer.page).nth(place).getByRole('checkbox').check();
    }
    await engineer.page.getByRole('region', { name: 'Selected drifts' }).getByRole('button', { name: 'Reject' }).click();
    for (const id of ids) await markIn(admin, id).getByText('Demo engineer is deciding').waitFor();
    await engineer.page.keyboard.press('Escape');
    for (const id of ids) await gone(markIn(admin, id));
    await browser.farewell(admin, engineer);
  });

  test('it ends by itself when the person has gone without a word', async () => {
    const admin = await browser.person('admin');
    await list(admin);
    const id = await openDrift(admin.page, 2);
    const engineer = await app.api.login('engineer');
    succeeded(await engineer.put(`/api/v1/drifts/${id}/deciding`, {}));
    await panelOf(admin).getByText('Demo engineer is deciding').waitFor();
    await eventually('the end', async () => !(await panelOf(admin).isVisible()), 45_000);
    await gone(markIn(admin, id));
    await browser.farewell(admin);
  });
});
