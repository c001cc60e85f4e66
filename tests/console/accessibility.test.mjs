// The console by keyboard, with a screen reader, on a phone, and in the dark theme.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { allInOne } from '../lib/deployments.mjs';
import { sample } from '../lib/samples.mjs';
import { eventually } from '../lib/waiting.mjs';
import { Browser, live, openDrift, rows, visit } from './browser.mjs';
import { DEVICES, inspect } from './inspect.mjs';

/** Each view, with a selector that matches once the view has loaded. */
const VIEWS = {
  '#/overview': '.card-open',
  '#/drifts': 'tr[data-id]',
  '#/alerts': '.alert',
  '#/notifications': '.state',
  '#/notifications/new': '.preview-title, .preview .snippet',
  '#/notifications/deliveries': '.state',
  '#/account': '.session.is-current',
  '#/admin/users': 'tbody tr',
  '#/admin/invitations': '.state, tbody tr',
  '#/admin/tokens': '.state, tbody tr',
  '#/admin/connections': '.card',
  '#/admin/rules': '#rules-console',
  '#/admin/audit': 'tbody tr',
};

describe('the console for everybody', () => {
  let app, browser;
  before(async () => {
    app = await allInOne();
    browser = await Browser.start(app.api.origins.auth);
    const engineer = await app.api.login('engineer');
    await engineer.ingest(await sample('fakeaws_20/scan1.plan.json'), { stack: 'demo' });
  });
  after(async () => {
    await browser?.stop();
    await app?.stop();
  });

  for (const [device, options] of Object.entries(DEVICES)) {
    test(`axe finds no serious fault on any view, ${device}`, async () => {
      const { page, ...visitor } = await browser.visitor(options);
      await page.getByRole('heading', { name: 'Log in' }).waitFor();
      await inspect(page, 'login');
      await browser.farewell(visitor);

      const { page: mine, ...admin } = await browser.person('admin', options);
      for (const [path, content] of Object.entries(VIEWS)) {
        await visit(mine, path);
        await mine.locator(content).first().waitFor();
        await inspect(mine, path);
      }
      await visit(mine, '#/drifts');
      await rows(mine).first().waitFor();
      await openDrift(mine, 4);
      await inspect(mine, 'a drift');
      await visit(mine, '#/drifts');
      await mine.getByRole('button', { name: 'Upload plan' }).click();
      await mine.getByRole('dialog').waitFor();
      await inspect(mine, 'the upload');
      await browser.farewell(admin);

      const { page: theirs, ...viewer } = await browser.person('viewer', options);
      await visit(theirs, '#/drifts');
      await rows(theirs).first().waitFor();
      await openDrift(theirs);
      await inspect(theirs, 'a drift, for a viewer');
      await browser.farewell(viewer);
    });
  }

  test('by keyboard alone: log in, find a drift, and decide on it', async () => {
    const { page, ...engineer } = await browser.visitor();
    const focused = () =>
      page.evaluate(() => document.activeElement.id || document.activeElement.textContent.trim());
    const tabTo = (text) =>
      eventually(`focus on ${text}`, async () => {
        await page.keyboard.press('Tab');
        return (await focused()).startsWith(text);
      });
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    assert.equal(await focused(), 'login-email');
    await page.keyboard.type('engineer@driftsentry.local');
    await page.keyboard.press('Tab');
    await page.keyboard.type('engineer123');
    await page.keyboard.press('Enter');
    await live(page);

    await tabTo('Skip to content');
    await tabTo('Drifts');
    await page.keyboard.press('Enter');
    await rows(page).first().waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    const id = await page.evaluate(() => document.activeElement.closest('tr').dataset.id);
    await page.keyboard.press('Enter');
    await page.locator('.history').waitFor();
    await page.keyboard.press('r');
    assert.equal(await focused(), 'reason');
    await page.keyboard.type('not ours');
    await tabTo('Reject');
    await page.keyboard.press('Enter');
    await eventually(
      'rejected',
      async () => (await page.locator(`tr[data-id="${id}"]`).getAttribute('data-status')) === 'rejected',
    );
    await page.locator('.outcome').waitFor();
    assert.match(await focused(), /^aws_|^module/, 'the focus is not lost with the pressed button');
    await page.keyboard.press('Escape');
    await page.locator('.detail').waitFor({ state: 'hidden' });
    assert.equal(
      await page.evaluate(() => document.activeElement.closest('tr')?.dataset.id),
      id,
      'back where one was',
    );
    await browser.farewell(engineer);
  });

  test('a screen reader announces new drifts', async () => {
    const { page, ...viewer } = await browser.person('viewer');
    await visit(page, '#/drifts');
    await rows(page).first().waitFor();
    const engineer = await app.api.login('engineer');
    await engineer.ingest(await sample('fakeaws_1/plan.json'), { stack: 'said' });
    await page.locator('[aria-live="polite"]').getByText('1 new drift').waitFor({ state: 'attached' });
    await browser.farewell(viewer);
  });
});
