// Administration in the console: changes by an admin apply everywhere at once.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';

import { succeeded } from '../lib/api.mjs';
import { allInOne } from '../lib/deployments.mjs';
import { sample } from '../lib/samples.mjs';
import { eventually } from '../lib/waiting.mjs';
import { behindCaddy } from '../system/behind_caddy.mjs';
import { Browser, live, visit } from './browser.mjs';

for (const start of [allInOne, behindCaddy]) {
  describe(`administration in the console, ${start === allInOne ? 'all in one' : 'behind Caddy'}`, () => {
    let app, browser, root;
    before(async () => {
      app = await start();
      browser = await Browser.start(app.api.origins.auth);
    });
    after(async () => {
      await browser?.stop();
      await app?.stop();
    });
    // Each test begins with the demo users as they were created, and without service tokens.
    beforeEach(async () => {
      root = await app.api.login('admin');
      for (const { id } of await root.list('/api/auth/tokens'))
        succeeded(await root.delete(`/api/auth/tokens/${id}`));
      for (const { id, email, role, isActive } of await root.list('/api/auth/users')) {
        const created = { role: email.split('@')[0], isActive: true };
        if (role !== created.role || !isActive) succeeded(await root.patch(`/api/auth/users/${id}`, created));
        succeeded(await root.delete(`/api/auth/users/${id}/locks`));
      }
    });

    test('a service token is created, shown once, sends a scan, and is revoked', async () => {
      const { page, ...admin } = await browser.person('admin');
      await visit(page, '#/admin/tokens');
      await page.getByRole('button', { name: 'New token' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Name').fill('ci');
      await dialog.getByRole('button', { name: 'Create token' }).click();
      const token = await dialog.locator('.secret code').textContent();
      await dialog.getByRole('button', { name: 'Done' }).click();
      await page.getByRole('cell', { name: /^ci/ }).waitFor();
      assert.ok(!(await page.content()).includes(token), 'not shown again');

      const machine = app.api.withToken(token);
      const plan = await sample('fakeaws_1/plan.json');
      assert.equal((await machine.ingest(plan, { stack: 'ci' })).data.created, 1);

      await page.getByRole('button', { name: 'Revoke the token ci' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
      await page.getByText('No service tokens').waitFor();
      await eventually('401', async () => (await machine.ingest(plan, { stack: 'ci' })).status === 401);
      await browser.farewell(admin);
    });

    test('a user gets a role, is then disabled, and sees the reason', async () => {
      const admin = await browser.person('admin');
      const viewer = await browser.person('viewer');
      await visit(admin.page, '#/admin/users');
      await admin.page.getByRole('combobox', { name: 'Role of Demo viewer' }).selectOption('engineer');
      const question = admin.page.getByRole('dialog', { name: 'Change the role of Demo viewer?' });
      await question.getByText('Demo viewer is viewer now and becomes engineer').waitFor();
      await question.getByRole('button', { name: 'Cancel' }).click();
      await eventually(
        'the old role',
        async () => (await admin.page.getByRole('combobox', { name: 'Role of Demo viewer' }).inputValue()) === 'viewer',
      );
      await admin.page.getByRole('combobox', { name: 'Role of Demo viewer' }).selectOption('engineer');
      await question.getByRole('button', { name: 'Change role' }).click();
      await viewer.page.locator('.whoami').getByText('engineer', { exact: true }).waitFor();
      await live(viewer.page);

      await admin.page.getByRole('button', { name: 'Disable Demo viewer' }).click();
      await admin.page.getByRole('dialog').getByRole('button', { name: 'Disable' }).click();
      await viewer.page.getByText('Your account was disabled.').waitFor();
      await admin.page.getByRole('button', { name: 'Enable Demo viewer' }).waitFor();

      // The last admin stays an admin, and the form explains it.
      await admin.page.getByRole('combobox', { name: 'Role of Demo admin' }).selectOption('viewer');
      await admin.page.getByRole('dialog').getByText('The service tokens').waitFor();
      await admin.page.getByRole('dialog').getByRole('button', { name: 'Change role' }).click();
      await admin.page.getByText(/last active admin/).waitFor();
      assert.equal(await admin.page.getByRole('combobox', { name: 'Role of Demo admin' }).inputValue(), 'admin');
      await browser.farewell(admin, viewer);
    });

    test('a locked account is shown, and its lock is lifted s84', async () => {
      const guess = { email: 'engineer@driftsentry.local', password: 'not the password' };
      for (let nth = 0; nth < 10; nth += 1) {
        assert.equal((await app.api.post('/api/auth/login', guess)).status, 401);
      }
      assert.equal((await app.api.post('/api/auth/login', guess)).status, 429);
      const visitor = await browser.visitor();
      await visitor.page.getByLabel('Email').fill(guess.email);
      await visitor.page.getByLabel('Password').fill('engineer123');
      await visitor.page.getByRole('button', { name: 'Log in', exact: true }).click();
      await visitor.page.getByText('Too many attempts. Try again in 15 minutes.').waitFor();

      const admin = await browser.person('admin');
      await visit(admin.page, '#/admin/users');
      await admin.page.getByText('Locked for 127.0.0.1').waitFor();
      await admin.page.getByRole('button', { name: 'Lift locks of Demo engineer' }).click();
      await admin.page.getByText('Lifted 1 lock of Demo engineer.').waitFor();
      assert.equal(await admin.page.getByText('Locked for').count(), 0);
      await app.api.login('engineer');
      await browser.farewell(admin, visitor);
    });

    test('the console warns of a service token that expires soon s64', async () => {
      const { page, ...admin } = await browser.person('admin');
      const expiresAt = new Date(Date.now() + 3 * 86_400_000).toISOString();
      const made = await root.post('/api/auth/tokens', { name: 'short', role: 'viewer', expiresAt });
      assert.equal(made.status, 201);
      await visit(page, '#/admin/tokens');
      await page.getByText('1 token will expire within 14 days').waitFor();
      await page.getByRole('row', { name: /short/ }).getByText('soon').waitFor();
      await page.getByRole('button', { name: 'Revoke the token short' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
      await page.getByText('No service tokens').waitFor();
      await browser.farewell(admin);
    });

    test('live connections are listed, and a disconnected user reconnects', async () => {
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

    test('the audit log shows actions and actors', async () => {
      const token = succeeded(
        await root.post('/api/auth/tokens', { name: 'audited', role: 'engineer' }),
      ).data;
      const machine = app.api.withToken(token.token);
      succeeded(await machine.ingest(await sample('fakeaws_1/plan.json'), { stack: 'audited' }));
      succeeded(await root.delete(`/api/auth/tokens/${token.id}`));
      const { page, ...admin } = await browser.person('admin');
      await visit(page, '#/admin/audit');
      await page.getByRole('cell', { name: 'Drift created' }).first().waitFor();
      await page.getByRole('button', { name: 'Logins and users' }).click();
      await page.getByRole('cell', { name: 'Service token revoked' }).first().waitFor();
      await page.getByRole('cell', { name: 'you', exact: true }).first().waitFor();
      await browser.farewell(admin);
    });
  });
}
