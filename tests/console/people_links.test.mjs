// The pages of links in mails: nothing happens without a click, bad links are explained, and everybody can use them.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { succeeded } from '../lib/api.mjs';
import { DEVICES, inspect } from './inspect.mjs';
import { OTHER_PASSWORD, Town, forget, isIn, signUp } from './people.mjs';
import { live, visit } from './browser.mjs';

describe('links in mails', () => {
  let town, browser, mailbox;
  before(async () => {
    town = await Town.start();
    ({ browser, mailbox } = town);
  });
  after(() => town?.stop());

  /** Returns the mail that resets the password of a new user. */
  async function resetMail(name) {
    const user = await town.user(name);
    succeeded(await town.app.api.post('/api/auth/password/forgot', { email: user.email }));
    return { user, ...(await mailbox.next(user.email)) };
  }

  test('a scanner that opens every link ten times uses none up', async () => {
    const email = town.address('quinn');
    const visitor = await browser.visitor();
    await signUp(visitor.page, 'Quinn', email);
    await mailbox.next(email);
    const reset = await resetMail('Rosa');
    for (const { links } of await mailbox.all()) {
      for (const link of links) {
        for (let nth = 0; nth < 10; nth += 1) {
          for (const method of ['GET', 'HEAD']) assert.equal((await fetch(link, { method })).status, 200);
        }
      }
    }
    // Some scanners run the page as well.
    const scanner = await browser.visitor();
    for (let nth = 0; nth < 3; nth += 1) {
      await visit(scanner.page, '#/forgot-password');
      await scanner.page.goto(reset.link);
      await scanner.page.getByRole('heading', { name: 'Set a new password' }).waitFor();
    }
    const signUpMail = (await mailbox.all()).find(({ to }) => to === email);
    await visitor.page.goto(signUpMail.link);
    await visitor.page.getByRole('button', { name: 'Create account' }).click();
    await isIn(visitor.page, 'Quinn');
    await scanner.page.getByLabel('New password').fill(OTHER_PASSWORD);
    await scanner.page.getByRole('button', { name: 'Set new password' }).click();
    await scanner.page.getByRole('heading', { name: 'Password changed' }).waitFor();
    await browser.farewell(visitor, scanner);
  });

  test('a link that was used, changed or cut is explained, and leads on', async () => {
    const { page, ...visitor } = await browser.visitor();
    const { link } = await resetMail('Sam');
    await page.goto(link);
    await page.getByLabel('New password').fill('short');
    await page.getByRole('button', { name: 'Set new password' }).click();
    await page.getByRole('alert').waitFor();
    await page.getByLabel('New password').fill(OTHER_PASSWORD);
    await page.getByRole('button', { name: 'Set new password' }).click();
    await page.getByRole('heading', { name: 'Password changed' }).waitFor();

    await page.goto(link);
    await page.getByRole('heading', { name: 'This link was already used' }).waitFor();
    const [, token] = link.split('token=');
    const middle = Math.floor(token.length / 2);
    const changed = token.slice(0, middle) + (token[middle] === 'A' ? 'B' : 'A') + token.slice(middle + 1);
    for (const bad of [changed, token.slice(0, 20), 'no-token']) {
      await visit(page, '#/forgot-password');
      await page.getByRole('heading', { name: 'Forgot your password?' }).waitFor();
      await visit(page, `#/reset-password?token=${bad}`);
      await page.getByRole('heading', { name: 'This link is not valid' }).waitFor();
    }
    await visit(page, '#/verify-email');
    await page.getByRole('heading', { name: 'This link is not complete' }).waitFor();
    // The link of another page.
    const other = await resetMail('Tom');
    await page.goto(other.link.replace('reset-password', 'verify-email'));
    await page.getByRole('button', { name: 'Verify email' }).click();
    await page.getByRole('heading', { name: 'This link is not valid' }).waitFor();
    await page.getByRole('link', { name: 'Open your account' }).click();
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    await browser.farewell(visitor);
  });

  test('a link works while another user is logged in, and says so', async () => {
    const person = await browser.person('viewer');
    const user = await town.user('Uma');
    succeeded(await town.app.api.post('/api/auth/login/email', { email: user.email }));
    await person.page.goto((await mailbox.next(user.email)).link);
    await person.page.getByText('You are logged in as viewer@driftsentry.local').waitFor();
    await person.page.getByRole('button', { name: 'Log in' }).click();
    await isIn(person.page, 'Uma');
    await visit(person.page, '#/verify-email');
    await person.page.getByRole('link', { name: 'Open your account' }).click();
    await person.page.locator('.session.is-current').waitFor();
    await live(person.page);
    await browser.farewell(person);
  });

  for (const [device, options] of Object.entries(DEVICES)) {
    test(`axe finds no serious fault on the pages of accounts, ${device}`, async () => {
      const { page, ...visitor } = await browser.visitor(options);
      await page.getByRole('button', { name: 'Create an account' }).click();
      await inspect(page, 'sign-up');
      await page.getByRole('button', { name: 'Log in' }).click();
      const { user, link } = await resetMail('Vic');
      await forget(page, user.email);
      await inspect(page, 'the code of a mail');
      for (const [name, heading] of Object.entries({
        invitation: 'Accept an invitation',
        'forgot-password': 'Forgot your password?',
        'undo-email': 'This link is not complete',
      })) {
        await visit(page, `#/${name}`);
        await page.getByRole('heading', { name: heading }).waitFor();
        await inspect(page, name);
      }
      await page.goto(link);
      await page.getByRole('heading', { name: 'Set a new password' }).waitFor();
      await inspect(page, 'reset-password');
      await browser.farewell(visitor);

      const { page: mine, ...admin } = await browser.person('admin', options);
      await visit(mine, `#/admin/users/${user.id}`);
      await mine.locator('.facts').waitFor();
      await mine.locator('tbody tr').first().waitFor();
      await inspect(mine, 'a user');
      for (const [path, button] of [
        ['#/admin/users', 'New user'],
        ['#/admin/users', 'Invite'],
        ['#/account', 'Change email'],
        ['#/account', 'Delete my account'],
      ]) {
        await visit(mine, path);
        await mine.getByRole('button', { name: button, exact: true }).click();
        await mine.getByRole('dialog').waitFor();
        await inspect(mine, `${path}, ${button}`);
        await mine.keyboard.press('Escape');
      }
      await browser.farewell(admin);
    });
  }
});
