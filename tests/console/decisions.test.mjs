// The console as a team uses it: everybody sees drifts, engineers decide, and everybody sees the decision at once.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { allInOne } from '../lib/deployments.mjs';
import { sample } from '../lib/samples.mjs';
import { eventually } from '../lib/waiting.mjs';
import { behindCaddy } from '../system/behind_caddy.mjs';
import { Browser, live, openDrift, rows, visit } from './browser.mjs';

// The console asks for the current contract, whether the old one is served or not.
for (const [where, start, COMPAT_ROUTES] of [
  ['all in one', allInOne, 'false'],
  ['behind Caddy', behindCaddy, 'true'],
]) {
  describe(`decisions in the console, ${where}, COMPAT_ROUTES=${COMPAT_ROUTES}`, () => {
    let app, browser;
    before(async () => {
      app = await start({ COMPAT_ROUTES });
      browser = await Browser.start(app.api.origins.auth);
    });
    after(async () => {
      await browser?.stop();
      await app?.stop();
    });

    test('an empty instance offers the sample plan, and shows it without a reload', async () => {
      const engineer = await browser.person('engineer');
      const viewer = await browser.person('viewer');
      await viewer.page.getByText('No drift yet').waitFor();
      assert.equal(await viewer.page.getByRole('button', { name: 'Load the sample plan' }).count(), 0);

      await engineer.page.getByRole('button', { name: 'Load the sample plan' }).click();
      for (const { page } of [engineer, viewer]) {
        await page.locator('.card-open .figure').getByText('20').waitFor();
        await visit(page, '#/drifts');
        await eventually('20 rows', async () => (await rows(page).count()) === 20);
      }
      const text = await engineer.page.content();
      assert.doesNotMatch(text, /hunter2|rotated-by-hand/);
      await browser.farewell(engineer, viewer);
    });

    test('a plan is uploaded with progress and a report, and rows arrive in an open list', async () => {
      const engineer = await browser.person('engineer');
      const viewer = await browser.person('viewer');
      await visit(viewer.page, '#/drifts');
      await rows(viewer.page).first().waitFor();
      const before = await rows(viewer.page).count();

      await visit(engineer.page, '#/drifts');
      await engineer.page.getByRole('button', { name: 'Upload plan' }).click();
      const dialog = engineer.page.getByRole('dialog');
      const plan = Buffer.from(await sample('fakeaws_1/plan.json'));
      await dialog
        .locator('input[type=file]')
        .setInputFiles({ name: 'plan.json', mimeType: 'application/json', buffer: plan });
      await dialog.getByRole('button', { name: 'Upload' }).click();
      await dialog.getByRole('alert').getByText('Name the stack.').waitFor();
      await dialog.getByLabel('Stack').fill('uploaded');
      await dialog.getByRole('button', { name: 'Upload' }).click();
      assert.equal(await dialog.locator('[data-name="created"] dd').textContent(), '1');

      await eventually('the new row', async () => (await rows(viewer.page).count()) === before + 1);
      await dialog
        .locator('input[type=file]')
        .setInputFiles({ name: 'no plan.json', mimeType: 'application/json', buffer: Buffer.from('{}') });
      await dialog.getByRole('button', { name: 'Upload' }).click();
      await dialog.getByRole('alert').waitFor();
      await browser.farewell(engineer, viewer);
    });

    test('a file that is dropped on the page is uploaded', async () => {
      const { page, ...engineer } = await browser.person('engineer');
      await visit(page, '#/drifts');
      await rows(page).first().waitFor();
      const text = await sample('fakeaws_1/plan.json');
      const files = await page.evaluateHandle((json) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([json], 'network.plan.json', { type: 'application/json' }));
        return transfer;
      }, text);
      await page.locator('.list-pane').dispatchEvent('dragenter', { dataTransfer: files });
      await page.getByText('Drop the plan to upload it').waitFor();
      await page.locator('.list-pane').dispatchEvent('drop', { dataTransfer: files });
      const dialog = page.getByRole('dialog');
      const stack = dialog.getByLabel('Stack');
      await eventually('the stack named by the file', async () => (await stack.inputValue()) === 'network');
      await dialog.getByLabel('Dry run').check();
      await dialog.getByRole('button', { name: 'Upload' }).click();
      await dialog.getByText('Dry run: nothing was stored').waitFor();
      await browser.farewell(engineer);
    });

    test('an engineer approves, and a viewer sees the change without a reload', async () => {
      const engineer = await browser.person('engineer');
      const viewer = await browser.person('viewer');
      for (const { page } of [engineer, viewer]) {
        await visit(page, '#/drifts');
        await rows(page).first().waitFor();
      }
      await viewer.page.evaluate(() => (window.wasNotReloaded = true));
      const id = await openDrift(engineer.page);
      const row = viewer.page.locator(`tr[data-id="${id}"]`);
      assert.equal(await row.getAttribute('data-status'), 'detected');

      await engineer.page.getByRole('button', { name: 'Approve', exact: true }).click();
      await engineer.page.getByText('Enter a reason').waitFor();
      await engineer.page.getByLabel('Why?').fill('planned <b>change</b>');
      await engineer.page.getByRole('button', { name: 'Approve', exact: true }).click();

      await eventually(
        'approved, for the viewer',
        async () => (await row.getAttribute('data-status')) === 'approved',
      );
      assert.ok(await viewer.page.evaluate(() => window.wasNotReloaded));
      await row.locator('.row-link').click();
      // Text of a user is shown as text, even if it looks like markup.
      await viewer.page.locator('.outcome-reason').getByText('planned <b>change</b>').waitFor();
      await browser.farewell(engineer, viewer);
    });

    test('a viewer cannot decide, sees the reason, and is refused by the API too', async () => {
      const { page, ...viewer } = await browser.person('viewer');
      await visit(page, '#/drifts');
      const id = await openDrift(page);
      for (const name of ['Approve', 'Reject']) {
        const button = page.getByRole('button', { name, exact: true });
        assert.equal(await button.getAttribute('aria-disabled'), 'true');
        await button.click({ force: true });
      }
      await page.getByText('You are a viewer').waitFor();
      assert.equal(await page.getByRole('checkbox').count(), 0);
      assert.equal(await page.getByRole('link', { name: 'Admin' }).count(), 0);
      const api = await app.api.login('viewer');
      const answer = await api.post(`/api/v1/drifts/${id}/approve`, { reason: 'me' });
      assert.equal(answer.status, 403);
      assert.equal(await page.locator(`tr[data-id="${id}"]`).getAttribute('data-status'), 'detected');
      await browser.farewell(viewer);
    });

    test('many drifts are decided at once', async () => {
      const { page, ...engineer } = await browser.person('engineer');
      await visit(page, '#/drifts?severity=info');
      await rows(page).first().waitFor();
      const selected = await rows(page).count();
      await page.getByLabel('Select all shown drifts').check();
      await page
        .getByRole('region', { name: 'Selected drifts' })
        .getByRole('button', { name: 'Reject' })
        .click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Why?').fill('tags are ours');
      await dialog.getByRole('button', { name: 'Reject' }).click();
      await page.getByText(`Rejected: ${selected} drift`).waitFor();
      await eventually('none of them open', async () => (await rows(page).count()) === 0);
      await visit(page, '#/drifts?severity=info&status=rejected');
      await eventually('all rejected', async () => (await rows(page).count()) === selected);
      await browser.farewell(engineer);
    });

    test('filters, search and sorting are in the address, and survive a reload', async () => {
      const { page, ...engineer } = await browser.person('engineer');
      await visit(page, '#/drifts?status=any');
      await rows(page).first().waitFor();
      await page.getByLabel('Search drifts').fill('s3_bucket');
      await eventually('only buckets', async () => {
        const names = await page.locator('.row-link').allTextContents();
        return names.length > 0 && names.every((name) => name.includes('s3_bucket'));
      });
      await page.getByLabel('Sort by').selectOption('-detectedAt');
      await page.waitForURL(/q=s3_bucket.*sort=-detectedAt/);
      await page.reload();
      await live(page);
      await rows(page).first().waitFor();
      assert.equal(await page.getByLabel('Search drifts').inputValue(), 's3_bucket');
      assert.equal(await page.getByLabel('Sort by').inputValue(), '-detectedAt');
      await page.getByLabel('Search drifts').fill('no such thing');
      await page.getByText('No match').waitFor();
      await browser.farewell(engineer);
    });

    test('an alert that one person reads stays unread for the other', async () => {
      const engineer = await browser.person('engineer');
      const viewer = await browser.person('viewer');
      const badgeOf = ({ page }) => page.getByRole('link', { name: /^Alerts/ }).locator('.badge');
      const [badge, theirs] = [engineer, viewer].map(badgeOf);
      const shown = (badge) => eventually('a number', async () => parseInt(await badge.textContent(), 10));
      const [unread, theirUnread] = [await shown(badge), await shown(theirs)];
      await visit(engineer.page, '#/alerts');
      await engineer.page
        .getByRole('button', { name: /^Mark read/ })
        .first()
        .click();
      await eventually('one less', async () => parseInt(await badge.textContent(), 10) === unread - 1);
      assert.equal(parseInt(await theirs.textContent(), 10), theirUnread);
      await browser.farewell(engineer, viewer);
    });
  });
}
