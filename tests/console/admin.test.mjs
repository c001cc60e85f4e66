// Administration in the console: what an admin changes there holds everywhere at once.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { allInOne } from '../lib/deployments.mjs';
import { sample } from '../lib/samples.mjs';
import { eventually } from '../lib/waiting.mjs';
import { behindCaddy } from '../system/behind_caddy.mjs';
import { Browser, live, visit } from './browser.mjs';

for (const start of [allInOne, behindCaddy]) {
  describe(`administration in the console, ${start === allInOne ? 'all in one' : 'behind Caddy'}`, () => {
    let app, browser;
    before(async () => {
      app = await start();
      browser = await Browser.start(app.api.origins.auth);
    });
    after(async () => {
      await browser?.stop();
      await app?.stop();
    });

    test('a service token is made, shown once, sends a scan, and is ended', async () => {
      const { page, ...admin } = await browser.person('admin');
      await visit(page, '#/admin/tokens');
      await page.getByRole('button', { name: 'New token' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Name').fill('ci');
      await dialog.getByRole('button', { name: 'Make it' }).click();
      const token = await dialog.locator('.secret code').textContent();
      await dialog.getByRole('button', { name: 'Done' }).click();
      await page.getByRole('cell', { name: /^ci/ }).waitFor();
      assert.ok(!(await page.content()).includes(token), 'not shown again');

      const machine = app.api.withToken(token);
      const plan = await sample('fakeaws_1/plan.json');
      assert.equal((await machine.ingest(plan, { stack: 'ci' })).data.created, 1);

      await page.getByRole('button', { name: 'End the token ci' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'End it' }).click();
      await page.getByText('No service tokens').waitFor();
      await eventually('401', async () => (await machine.ingest(plan, { stack: 'ci' })).status === 401);
      await browser.farewell(admin);
    });

    test('a user gets a role, then is disabled and told so', async () => {
      const admin = await browser.person('admin');
      const viewer = await browser.person('viewer');
      await visit(admin.page, '#/admin/users');
      await admin.page.getByLabel('Role of Demo viewer').selectOption('engineer');
      await viewer.page.locator('.whoami').getByText('engineer', { exact: true }).waitFor();
      await live(viewer.page);

      await admin.page.getByRole('button', { name: 'Disable Demo viewer' }).click();
      await admin.page.getByRole('dialog').getByRole('button', { name: 'Disable' }).click();
      await viewer.page.getByText('Your account was disabled.').waitFor();
      await admin.page.getByRole('button', { name: 'Enable Demo viewer' }).waitFor();

      // The last admin stays one, and the form says so.
      await admin.page.getByLabel('Role of Demo admin').selectOption('viewer');
      await admin.page.getByText(/last active admin/).waitFor();
      assert.equal(await admin.page.getByLabel('Role of Demo admin').inputValue(), 'admin');
      await browser.farewell(admin, viewer);
    });

    test('live connections are listed; who is disconnected comes back by itself', async () => {
      const admin = await browser.person('admin');
      const engineer = await browser.person('engineer');
      await visit(admin.page, '#/admin/connections');
      await admin.page.getByText('Demo engineer').waitFor();
      await engineer.page.evaluate(async () => {
        const { onState } = await import('./src/socket.js');
        window.states = [];
        onState(({ name }) => window.states.push(name));
      });
      await admin.page.getByRole('button', { name: 'Disconnect Demo engineer' }).click();
      await eventually('gone and back', () => engineer.page.evaluate(() => window.states.at(-1) === 'live'));
      await browser.farewell(admin, engineer);
    });

    test('the audit says who did what', async () => {
      const { page, ...admin } = await browser.person('admin');
      await visit(page, '#/admin/audit');
      await page.getByRole('cell', { name: 'Drift created' }).first().waitFor();
      await page.getByRole('button', { name: 'Logins and users' }).click();
      await page.getByRole('cell', { name: 'Service token ended' }).first().waitFor();
      await page.getByRole('cell', { name: 'you', exact: true }).first().waitFor();
      await browser.farewell(admin);
    });
  });
}
