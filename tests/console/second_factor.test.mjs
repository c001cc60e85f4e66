// The second step of a login in the console, and the security page where factors are added and removed.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';

import { succeeded } from '../lib/api.mjs';
import { eventually } from '../lib/waiting.mjs';
import { live, visit } from './browser.mjs';
import {
  addApp,
  codeField,
  connectApp,
  firstStep,
  keepCodes,
  logInWithCode,
  openSecurity,
  wrongCode,
} from './factors.mjs';
import { PASSWORD, Town, isIn } from './people.mjs';

describe('a second factor in the console', () => {
  let town, browser;
  before(async () => {
    town = await Town.start({ TRUSTED_DEVICE_DAYS: '30' }, 'localhost');
    ({ browser } = town);
  });
  after(() => town?.stop());

  const logOut = async (page) => {
    await page.getByRole('button', { name: 'Log out' }).first().click();
    await page.getByText('You are logged out.').waitFor();
  };

  test('an app is added on the security page, and the next login asks for its code', async () => {
    const user = await town.user('Ada');
    const { page, ...person } = await town.person(user);
    await openSecurity(page);
    await page.getByText('your password alone is enough').waitFor();
    await page.locator('.session.is-current').getByText('password', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Add authenticator app' }).click();
    await page.getByRole('img', { name: 'QR code' }).waitFor();
    const drawn = await page.locator('.totp-qr').evaluate((image) => image.decode().then(() => image.naturalWidth > 0));
    assert.ok(drawn, 'the policy of the page lets the image through');
    const app = await connectApp(page);

    const dialog = page.getByRole('dialog', { name: 'Your recovery codes' });
    await dialog.waitFor();
    await page.keyboard.press('Escape');
    await dialog.getByRole('button', { name: 'Done' }).click();
    await dialog.getByText('Save the codes first').waitFor();
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      dialog.getByRole('button', { name: 'Download' }).click(),
    ]);
    const codes = await keepCodes(page);
    assert.equal(new Set(codes).size, 10);
    const text = await readFile(await file.path(), 'utf8');
    assert.ok(codes.every((code) => text.includes(code)) && text.includes(user.email));
    await page.getByText('10 left').waitFor();
    await page.getByText('Added the authenticator app.').waitFor();
    assert.equal(await page.getByText('Was this you?').count(), 0, 'not in the session that made the change');

    await logOut(page);
    await firstStep(page, user);
    await page.getByRole('heading', { name: 'Second step' }).waitFor();
    assert.ok(await codeField(page).evaluate((input) => input === document.activeElement));
    assert.deepEqual(
      await codeField(page).evaluate((input) => [input.inputMode, input.autocomplete]),
      ['numeric', 'one-time-code'],
    );
    const code = await app.code();
    await codeField(page).fill(wrongCode(code));
    await page.getByRole('alert').getByText('The code is wrong or was used.').waitFor();
    // The wrong code is selected, so that the right one replaces it. It is sent without a click.
    await page.keyboard.type(code);
    await isIn(page, 'Ada');
    await openSecurity(page);
    await page.locator('.session.is-current').getByText('second factor', { exact: true }).waitFor();
    await browser.farewell(person);
  });

  test('a pasted code logs in, and a reload keeps the session', async () => {
    const user = await town.user('Bob');
    const { app } = await addApp(town, user);
    const { page, context, ...person } = await browser.visitor();
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await firstStep(page, user);
    const code = await app.code();
    await page.evaluate((text) => navigator.clipboard.writeText(text), ` ${code.slice(0, 3)} ${code.slice(3)} `);
    await codeField(page).focus();
    await page.keyboard.press('Control+v');
    await isIn(page, 'Bob');
    await page.reload();
    await isIn(page, 'Bob');
    await browser.farewell({ context, ...person });
  });

  test('a recovery code logs in once, and new codes take the place of the old ones', async () => {
    const user = await town.user('Cleo');
    const { recoveryCodes } = await addApp(town, user);
    const { page, ...person } = await browser.visitor();
    const useRecoveryCode = async (code) => {
      await firstStep(page, user);
      await page.getByRole('button', { name: 'Use a recovery code' }).click();
      await page.getByLabel('Recovery code').fill(code);
      await page.getByRole('button', { name: 'Log in', exact: true }).click();
    };
    await useRecoveryCode(recoveryCodes[0]);
    await isIn(page, 'Cleo');
    await openSecurity(page);
    await page.getByText('9 left').waitFor();
    await page.getByRole('button', { name: 'Replace codes' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Replace codes' }).click();
    const fresh = await keepCodes(page);
    await page.getByText('10 left').waitFor();

    await logOut(page);
    for (const used of recoveryCodes.slice(0, 2)) {
      await useRecoveryCode(used);
      await page.getByRole('alert').getByText('The recovery code is wrong or was used.').waitFor();
      await page.getByRole('button', { name: 'Back to the login' }).click();
    }
    await useRecoveryCode(fresh[0]);
    await isIn(page, 'Cleo');
    await browser.farewell(person);
  });

  test('the second step follows a link from a mail too', async () => {
    const user = await town.user('Dora');
    const { app } = await addApp(town, user);
    const { page, ...person } = await browser.visitor();
    succeeded(await town.app.api.post('/api/auth/login/email', { email: user.email }));
    // Mails about the new factor may come before it.
    const { link } = await eventually('the link', async () =>
      (await town.mailbox.all()).find(({ to, link }) => to === user.email && link?.includes('log-in')),
    );
    await page.goto(link);
    await page.getByRole('button', { name: 'Log in' }).click();
    await codeField(page).fill(await app.code());
    await isIn(page, 'Dora');
    await browser.farewell(person);
  });

  test('a second step that took too long leads back to the first one', async () => {
    const user = await town.user('Eve');
    const { app } = await addApp(town, user);
    const { page, ...person } = await browser.visitor();
    // The token of the request is not one of this server any more.
    await page.route('**/api/auth/login/mfa', (route) => {
      const body = { ...route.request().postDataJSON(), mfaToken: 'expired' };
      return route.continue({ postData: JSON.stringify(body) });
    });
    await firstStep(page, user);
    await codeField(page).fill('123456');
    await page.getByRole('heading', { name: 'The login took too long' }).waitFor();
    await page.unroute('**/api/auth/login/mfa');
    await page.getByRole('button', { name: 'Log in again' }).click();
    await logInWithCode(page, user, app);
    await browser.farewell(person);
  });

  test('a trusted device needs no second step until the trust is revoked', async () => {
    const user = await town.user('Fay');
    const { app } = await addApp(town, user);
    const { page, ...person } = await browser.visitor();
    await firstStep(page, user);
    await page.getByLabel('Trust this device for 30 days').check();
    await codeField(page).fill(await app.code());
    await isIn(page, 'Fay');
    await logOut(page);
    await firstStep(page, user);
    await isIn(page, 'Fay');

    await openSecurity(page);
    const trusted = page.locator('.panel', { hasText: 'Trusted devices' });
    await trusted.getByText('this device').waitFor();
    await trusted.getByRole('button', { name: 'Revoke' }).click();
    await trusted.getByText('None. Every login needs a second factor.').waitFor();
    await logOut(page);
    await firstStep(page, user);
    await page.getByRole('heading', { name: 'Second step' }).waitFor();
    await browser.farewell(person);
  });

  test('an app is removed, and the password alone logs in again', async () => {
    const user = await town.user('Gus');
    const { app } = await addApp(town, user);
    const { page, ...person } = await browser.visitor();
    await logInWithCode(page, user, app);
    await openSecurity(page);
    await page.getByRole('button', { name: 'Remove authenticator app' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await page.getByText('Removed the authenticator app.').waitFor();
    await page.getByRole('button', { name: 'Add authenticator app' }).waitFor();
    await logOut(page);
    await firstStep(page, user);
    await isIn(page, 'Gus');
    await browser.farewell(person);
  });

  test('an admin resets the factors of a user who lost them', async () => {
    const user = await town.user('Hal');
    await addApp(town, user);
    const { page, ...admin } = await browser.person('admin');
    await visit(page, `#/admin/users/${user.id}`);
    await page.locator('.facts').getByText('authenticator app').waitFor();
    await page.getByRole('button', { name: 'Reset second factors of Hal' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Reset second factors' }).click();
    await page.getByText('Reset the second factors of Hal.').waitFor();
    await page.locator('.facts').getByText('none').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Reset second factors of Hal' }).count(), 0);
    const visitor = await browser.visitor();
    await firstStep(visitor.page, user);
    await isIn(visitor.page, 'Hal');
    await browser.farewell(admin, visitor);
  });
});

describe('a second factor that is required', () => {
  let town, browser;
  before(async () => {
    town = await Town.start({ MFA_REQUIRED: 'everybody', VERIFY_EMAIL: 'false' }, 'localhost');
    ({ browser } = town);
  });
  after(() => town?.stop());

  test('a new user sets up an app before the console opens', async () => {
    const { page, ...person } = await browser.visitor();
    const email = town.address('ida');
    await page.getByRole('button', { name: 'Create an account' }).click();
    await page.getByLabel('Name').fill('Ida');
    await page.getByLabel('Email').fill(email);
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.getByRole('heading', { name: 'Set up a second factor' }).waitFor();
    await page.getByRole('button', { name: 'Use an authenticator app' }).click();
    await page.getByRole('img', { name: 'QR code' }).waitFor();
    const app = await connectApp(page);
    assert.equal((await keepCodes(page)).length, 10);
    await isIn(page, 'Ida');
    await page.getByRole('button', { name: 'Log out' }).first().click();
    await logInWithCode(page, { email }, app);
    await live(page);
    await browser.farewell(person);
  });
});
