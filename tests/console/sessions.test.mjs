// Sessions across reloads, tabs, devices and network failures.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { allInOne } from '../lib/deployments.mjs';
import { sample } from '../lib/samples.mjs';
import { eventually } from '../lib/waiting.mjs';
import { behindCaddy } from '../system/behind_caddy.mjs';
import { AWAY, Browser, live, logIn, rows, visit } from './browser.mjs';

for (const start of [allInOne, behindCaddy]) {
  describe(`sessions in the console, ${start === allInOne ? 'all in one' : 'behind Caddy'}`, () => {
    let app, browser, engineer;
    before(async () => {
      app = await start();
      browser = await Browser.start(app.api.origins.auth);
      engineer = await app.api.login('engineer');
      await engineer.ingest(await sample('fakeaws_20/scan1.plan.json'), { stack: 'demo' });
    });
    after(async () => {
      await browser?.stop();
      await app?.stop();
    });

    for (const role of ['viewer', 'engineer', 'admin']) {
      test(`${role}: logs in, has the right role, and logs out`, async () => {
        const { page, ...person } = await browser.person(role);
        await page.locator('.whoami').getByText(role, { exact: true }).waitFor();
        assert.equal(
          await page.getByRole('link', { name: 'Admin', exact: true }).count(),
          role === 'admin' ? 1 : 0,
        );
        await page.getByRole('button', { name: 'Log out' }).click();
        await page.getByText('You are logged out.').waitFor();
        await browser.farewell(person);
      });
    }

    test('a wrong password is explained, and the form stays', async () => {
      const { page, ...visitor } = await browser.visitor();
      await page.getByLabel('Email').fill('viewer@driftsentry.local');
      await page.getByLabel('Password').fill('not the password');
      await page.getByRole('button', { name: 'Log in', exact: true }).click();
      await page.getByRole('alert').getByText('The email or the password is wrong.').waitFor();
      await logIn(page, 'viewer');
      await browser.farewell(visitor);
    });

    test('a reload keeps the session, and nothing that authenticates is stored where scripts can read', async () => {
      const { page, context, ...person } = await browser.person('viewer');
      await page.reload();
      await live(page);
      const stored = await page.evaluate(() =>
        JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]),
      );
      const [cookie] = (await context.cookies()).filter(({ name }) => name.endsWith('refresh_token'));
      assert.deepEqual([cookie.httpOnly, cookie.sameSite, cookie.path], [true, 'Strict', '/api']);
      assert.ok(!stored.includes(cookie.value) && !/eyJ/.test(stored), stored);
      await browser.farewell({ context, ...person });
    });

    test('ending a session on another device shows the login there at once, with the reason', async () => {
      const mine = await browser.person('viewer');
      const other = await browser.person('viewer');
      await visit(mine.page, '#/account');
      const end = mine.page.locator('.session:not(.is-current)').getByRole('button', { name: 'End' });
      await end.first().waitFor();
      const asked = [];
      other.page.on('request', (request) => asked.push(request.url()));
      await end.first().click();
      await other.page.getByText('Your session was ended from another device.').waitFor();
      assert.deepEqual(asked, [], 'the socket reported it, without a request of the page');
      await other.page.getByRole('heading', { name: 'Log in' }).waitFor();
      await other.page.reload();
      await other.page.getByRole('heading', { name: 'Log in' }).waitFor();
      await live(mine.page);
      await browser.farewell(mine, other);
    });

    test('an admin ends the sessions of a user, and the user sees the reason', async () => {
      const admin = await browser.person('admin');
      const viewer = await browser.person('viewer');
      await visit(admin.page, '#/admin/users');
      await admin.page.getByLabel('Search users').fill('viewer@');
      await eventually('the viewer alone', async () => (await admin.page.locator('tbody tr').count()) === 1);
      await admin.page.getByRole('button', { name: /^End sessions of/ }).click();
      await admin.page.getByRole('dialog').getByRole('button', { name: 'End sessions' }).click();
      await viewer.page.getByText('An administrator ended your session.').waitFor();
      await browser.farewell(admin, viewer);
    });

    test('a new role shows at once, without a new login', async () => {
      const admin = await app.api.login('admin');
      const { page, ...person } = await browser.visitor();
      await page.getByRole('button', { name: 'Create an account' }).click();
      await page.getByLabel('Name').fill('Ada');
      await page.getByLabel('Email').fill('ada@example.org');
      await page.getByLabel('Password').fill('correct horse battery');
      await page.getByRole('button', { name: 'Create account' }).click();
      await live(page);
      const [ada] = (await admin.list('/api/auth/users')).filter(({ email }) => email === 'ada@example.org');
      await admin.patch(`/api/auth/users/${ada.id}`, { role: 'engineer' });
      await page.locator('.whoami').getByText('engineer', { exact: true }).waitFor();
      await visit(page, '#/drifts');
      await page.getByRole('button', { name: 'Upload plan' }).waitFor();
      await browser.farewell(person);
    });

    test('two tabs refresh at once: one request for both, and both stay logged in', async () => {
      const { page, context, ...person } = await browser.person('engineer');
      const second = await context.newPage();
      await second.goto(browser.url);
      await live(second);
      let refreshes = 0;
      context.on('request', (request) => (refreshes += request.url().endsWith('/api/auth/refresh') ? 1 : 0));
      // Both tabs ask while another holder has the lock, so they ask at the same time, however slow they are.
      await page.evaluate(() => {
        const held = new Promise((release) => (globalThis.release = release));
        navigator.locks.request('driftsentry.refresh', () => held);
      });
      const renew = (tab) =>
        tab.evaluate(async () => (await import('./src/session.js')).renew().then(Boolean));
      const renewed = Promise.all([renew(page), renew(second)]);
      await page.waitForFunction(async () => (await navigator.locks.query()).pending.length === 2);
      await page.evaluate(() => globalThis.release());
      assert.deepEqual(await renewed, [true, true]);
      assert.equal(refreshes, 1);
      for (const tab of [page, second]) {
        await visit(tab, '#/account');
        await tab.locator('.session.is-current').waitFor();
        await live(tab);
      }
      await page.getByRole('button', { name: 'Log out' }).first().click();
      await second.getByRole('heading', { name: 'Log in' }).waitFor();
      await browser.farewell({ context, ...person });
    });

    test('offline during several attempts to reconnect, then nothing is missing', async () => {
      const { page, context, ...person } = await browser.person('engineer', { allow: AWAY });
      await visit(page, '#/drifts?status=any');
      await rows(page).first().waitFor();
      const before = await rows(page).count();
      await context.setOffline(true);
      let attempts = 0;
      page.on('console', (message) => (attempts += AWAY.test(message.text()) ? 1 : 0));
      await page.getByText('Reconnecting').waitFor();
      await page.getByText(/as of \d\d:\d\d/).waitFor();

      await engineer.ingest(await sample('fakeaws_1/plan.json'), { stack: 'while-away' });
      const drifts = await engineer.list('/api/v1/drifts');
      const decided = drifts.find(({ status, stack }) => status === 'detected' && stack === 'demo');
      await engineer.post(`/api/v1/drifts/${decided.id}/reject`, { reason: 'no' });
      await eventually('three failed attempts', () => attempts >= 3);

      await context.setOffline(false);
      await live(page);
      await eventually('what came', async () => (await rows(page).count()) === before + 1);
      const row = page.locator(`tr[data-id="${decided.id}"]`);
      await eventually(
        'what was decided',
        async () => (await row.getAttribute('data-status')) === 'rejected',
      );
      await browser.farewell({ context, ...person });
    });
  });
}
