// Accounts in the console, with real mail: sign-up, forgotten passwords, addresses, profile, deletion.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';

import { succeeded } from '../lib/api.mjs';
import { allInOne } from '../lib/deployments.mjs';
import { Browser, live, logInAs, visit } from './browser.mjs';
import { OTHER_PASSWORD, PASSWORD, Town, forget, isIn, openTab, signUp } from './people.mjs';

describe('accounts in the console', () => {
  let town, browser, mailbox;
  before(async () => {
    town = await Town.start();
    ({ browser, mailbox } = town);
  });
  after(() => town?.stop());

  test('a new user opens the link in another tab, and both tabs are logged in', async () => {
    const visitor = await browser.visitor();
    const email = town.address('ada');
    await signUp(visitor.page, 'Ada', email);
    await visitor.page.getByText('We sent a mail to').waitFor();
    const { link } = await mailbox.next(email);

    const tab = await openTab(visitor, link);
    await tab.getByText(`Create the account for ${email}`).waitFor();
    assert.equal(
      await tab.evaluate(() => location.hash),
      '#/confirm-sign-up',
      'the token is not in the address',
    );
    await tab.getByRole('button', { name: 'Create account' }).click();
    await isIn(tab, 'Ada');
    await isIn(visitor.page, 'Ada');
    await browser.farewell(visitor);
  });

  test('the link is opened on another device, and the waiting tab says so', async () => {
    const [visitor, phone] = [await browser.visitor(), await browser.visitor()];
    const email = town.address('eve');
    await signUp(visitor.page, 'Eve', email);
    await phone.page.goto((await mailbox.next(email)).link);
    await phone.page.getByRole('button', { name: 'Create account' }).click();
    await isIn(phone.page, 'Eve');
    await visitor.page.getByRole('heading', { name: 'Your account is ready' }).waitFor();
    await visitor.page.getByRole('button', { name: 'Log in' }).click();
    await visitor.page.getByLabel('Password').fill(PASSWORD);
    await visitor.page.getByRole('button', { name: 'Log in', exact: true }).click();
    await isIn(visitor.page, 'Eve');
    await browser.farewell(visitor, phone);
  });

  test('a code is pasted, and the account is created without a click', async () => {
    const visitor = await browser.visitor();
    const email = town.address('bob');
    await signUp(visitor.page, 'Bob', email);
    const { code } = await mailbox.next(email);
    const wrong = code === '000000' ? '111111' : '000000';
    await visitor.page.getByLabel('Code from the mail').fill(wrong);
    await visitor.page.getByRole('alert').getByText(/code/).waitFor();
    // As it is in the mail, with spaces around it.
    await visitor.page.getByLabel('Code from the mail').fill(` ${code.slice(0, 3)} ${code.slice(3)} `);
    await isIn(visitor.page, 'Bob');
    await browser.farewell(visitor);
  });

  test('a forgotten password is reset by the link, which ends all sessions', async () => {
    const user = await town.user('Cleo');
    const elsewhere = await town.person(user);
    await isIn(elsewhere.page, 'Cleo');
    const visitor = await browser.visitor();
    await forget(visitor.page, user.email);
    const { link } = await mailbox.next(user.email);
    const tab = await openTab(visitor, link);
    await tab.getByLabel('New password').fill(OTHER_PASSWORD);
    await tab.getByRole('button', { name: 'Set new password' }).click();
    await tab.getByRole('heading', { name: 'Password changed' }).waitFor();
    await elsewhere.page.getByText('Your password was reset').waitFor();
    await visitor.page.getByRole('heading', { name: 'Password changed' }).waitFor();
    await visitor.page.getByRole('link', { name: 'Log in' }).click();
    await logInAs(visitor.page, user.email, OTHER_PASSWORD);
    await isIn(visitor.page, 'Cleo');
    await browser.farewell(visitor, elsewhere);
  });

  test('the login page has the reason of the end, even if the refresh fails before the news arrives', async () => {
    const user = await town.user('Kim');
    const { page, ...visitor } = await browser.visitor();
    let isLate = false;
    await page.routeWebSocket(/./, (socket) => {
      const server = socket.connectToServer();
      server.onMessage((message) => isLate || socket.send(message));
      server.onClose(() => {});
    });
    await logInAs(page, user.email, PASSWORD);
    isLate = true;
    succeeded(await town.app.api.post('/api/auth/password/forgot', { email: user.email }));
    const token = (await mailbox.next(user.email)).link.split('token=')[1];
    succeeded(await town.app.api.post('/api/auth/password/reset', { token, newPassword: OTHER_PASSWORD }));
    await page.evaluate(async () => {
      const { renew } = await import('./src/session.js');
      await renew().catch(() => {});
    });
    await page.getByText('Your password was reset').waitFor();
    await browser.farewell(visitor);
  });

  test('by keyboard alone: a forgotten password is reset with the code', async () => {
    const user = await town.user('Dora');
    const { page, ...visitor } = await browser.visitor();
    await page.getByRole('link', { name: 'Forgot password?' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Forgot your password?' }).waitFor();
    await page.keyboard.type(user.email);
    await page.keyboard.press('Enter');
    await page.getByLabel('Code from the mail').waitFor();
    await page.keyboard.type((await mailbox.next(user.email)).code);
    await page.keyboard.press('Tab');
    await page.keyboard.type(OTHER_PASSWORD);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Password changed' }).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    // The address is still known.
    await page.getByLabel('Password').waitFor();
    await page.keyboard.type(OTHER_PASSWORD);
    await page.keyboard.press('Enter');
    await isIn(page, 'Dora');
    await browser.farewell(visitor);
  });

  test('a link from a mail logs in, and so does its code', async () => {
    const user = await town.user('Fay');
    const visitor = await browser.visitor();
    const { page } = visitor;
    await page.getByLabel('Email').fill(user.email);
    await page.getByRole('button', { name: 'Email me a login link' }).click();
    const tab = await openTab(visitor, (await mailbox.next(user.email)).link);
    await tab.getByText(`Log in as ${user.email}`).waitFor();
    await tab.getByRole('button', { name: 'Log in' }).click();
    await isIn(tab, 'Fay');
    await isIn(page, 'Fay');
    await page.getByRole('button', { name: 'Log out' }).first().click();
    await page.getByLabel('Email').fill(user.email);
    await page.getByRole('button', { name: 'Email me a login link' }).click();
    await page.getByLabel('Code from the mail').fill((await mailbox.next(user.email)).code);
    await isIn(page, 'Fay');
    await browser.farewell(visitor);
  });

  test('an address is verified on another device, and the account shows it at once', async () => {
    const user = await town.user('Gus');
    const person = await town.person(user);
    const phone = await browser.visitor();
    await live(person.page);
    await visit(person.page, '#/account');
    await person.page.getByText('not verified').waitFor();
    await person.page.getByRole('button', { name: 'Send verification mail' }).click();
    await person.page.getByRole('dialog').getByLabel('Code from the mail').waitFor();
    await phone.page.goto((await mailbox.next(user.email)).link);
    await phone.page.getByRole('button', { name: 'Verify email' }).click();
    await phone.page.getByText(`${user.email} is verified.`).waitFor();
    await person.page.getByText('verified', { exact: true }).waitFor();
    await person.page.getByRole('dialog').waitFor({ state: 'detached' });
    await browser.farewell(person, phone);
  });

  test('a changed address is confirmed with the code, and undone with the link to the old address', async () => {
    const user = await town.user('Hal');
    const changed = town.address('hal-new');
    const person = await town.person(user);
    const { page } = person;
    await live(page);
    await visit(page, '#/account');
    await page.getByRole('button', { name: 'Change email' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('New email').fill(changed);
    await dialog.getByLabel('Current password').fill('not the password');
    await dialog.getByRole('button', { name: 'Send mail' }).click();
    await dialog.getByText('The current password is wrong.').waitFor();
    await dialog.getByLabel('Current password').fill(PASSWORD);
    await dialog.getByRole('button', { name: 'Send mail' }).click();
    await dialog.getByLabel('Code from the mail').fill((await mailbox.next(changed)).code);
    await page.locator('.email-line').getByText(changed).waitFor();

    const { link } = await mailbox.next(user.email);
    const owner = await browser.visitor();
    await owner.page.goto(link);
    await owner.page.getByRole('button', { name: 'Restore this email' }).click();
    await owner.page.getByRole('heading', { name: 'Email restored' }).waitFor();
    await page.getByText('Your old email address was restored').waitFor();
    const { data } = await town.root.get(`/api/auth/users/${user.id}`);
    assert.equal(data.email, user.email);
    await browser.farewell(person, owner);
  });

  test('a profile is changed, and the data is exported', async () => {
    const user = await town.user('Ida');
    const { page, ...person } = await town.person(user);
    await live(page);
    await visit(page, '#/account');
    await page.getByLabel('Name').fill('Ida Rhodes');
    await page.getByLabel('Time zone').selectOption('Europe/Berlin');
    await page.getByLabel('Language').selectOption('de');
    await page.getByLabel('A drift is critical').uncheck();
    await page.getByRole('button', { name: 'Save profile' }).click();
    await isIn(page, 'Ida Rhodes');
    await page.getByText('Profile saved.').waitFor();
    await page.reload();
    await page.getByLabel('Time zone').waitFor();
    assert.equal(await page.getByLabel('Time zone').inputValue(), 'Europe/Berlin');
    assert.equal(await page.getByLabel('Language').inputValue(), 'de');
    assert.equal(await page.getByLabel('A drift is critical').isChecked(), false);
    assert.equal(await page.getByLabel('Somebody decides').isChecked(), true);

    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Export my data' }).click(),
    ]);
    assert.match(await readFile(await file.path(), 'utf8'), new RegExp(user.email));
    await browser.farewell(person);
  });

  test('an account is deleted only after its owner typed it', async () => {
    const user = await town.user('Jo');
    const { page, ...person } = await town.person(user);
    await live(page);
    await visit(page, '#/account');
    await page.getByRole('button', { name: 'Delete my account' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Current password').fill(PASSWORD);
    await dialog.getByLabel('Type DELETE').fill('delete');
    await dialog.getByRole('button', { name: 'Delete account' }).click();
    await dialog.getByText('Type DELETE in capital letters.').waitFor();
    await dialog.getByLabel('Type DELETE').fill('DELETE');
    await dialog.getByRole('button', { name: 'Delete account' }).click();
    await page.getByText('Your account was deleted.').waitFor();
    assert.equal((await town.root.get(`/api/auth/users/${user.id}`)).status, 404);
    await browser.farewell(person);
  });
});

describe('accounts in the console without SMTP', () => {
  test('the security check is solved, and the development mailbox has the mail', async (t) => {
    const env = (url) => ({ PUBLIC_URL: url, VERIFY_EMAIL: 'true', ABUSE_PROTECTION: 'pow' });
    const app = await allInOne(env);
    t.after(() => app.stop());
    const browser = await Browser.start(app.api.origins.auth);
    t.after(() => browser.stop());
    const visitor = await browser.visitor();
    await Promise.all([
      visitor.page.waitForResponse(/\/api\/auth\/challenge$/),
      signUp(visitor.page, 'Kim', 'kim@example.org'),
    ]);
    await visitor.page.getByLabel('Code from the mail').waitFor();
    const [mailbox] = await Promise.all([
      visitor.context.waitForEvent('page'),
      visitor.page.getByRole('link', { name: 'Open the development mailbox' }).click(),
    ]);
    // The newest mail is open.
    await mailbox.locator('details[open]').waitFor();
    const [tab] = await Promise.all([
      visitor.context.waitForEvent('page'),
      mailbox.frameLocator('iframe').getByRole('link').first().click(),
    ]);
    await tab.getByRole('button', { name: 'Create account' }).click();
    await isIn(visitor.page, 'Kim');
    await browser.farewell(visitor);
  });

  for (const [signup, sentence] of [
    ['invite', 'New accounts need an invitation.'],
    ['off', 'An administrator creates new accounts.'],
  ]) {
    test(`with SIGNUP=${signup}, the login page says how to get an account`, async (t) => {
      const app = await allInOne({ SIGNUP: signup });
      t.after(() => app.stop());
      const browser = await Browser.start(app.api.origins.auth);
      t.after(() => browser.stop());
      const visitor = await browser.visitor();
      await visitor.page.getByText(sentence).waitFor();
      assert.equal(await visitor.page.getByRole('button', { name: 'Create an account' }).count(), 0);
      await browser.farewell(visitor);
    });
  }
});
