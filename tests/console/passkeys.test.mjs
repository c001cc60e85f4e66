// Passkeys in the console, with the virtual authenticator of Chromium.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { eventually } from '../lib/waiting.mjs';
import { Device, codeField, connectApp, firstStep, keepCodes, openSecurity } from './factors.mjs';
import { Town, isIn, signUp } from './people.mjs';

describe('passkeys in the console', () => {
  let town, browser;
  before(async () => {
    town = await Town.start({}, 'localhost');
    ({ browser } = town);
  });
  after(() => town?.stop());

  const logOut = async (page) => {
    await page.getByRole('button', { name: 'Log out' }).first().click();
    await page.getByText('You are logged out.').waitFor();
  };

  /** Opens the page of a new user who has added a passkey. The device is not touched until the test says so. */
  async function withPasskey(name) {
    const user = await town.user(name);
    const person = await browser.visitor();
    const device = await Device.add(person);
    await firstStep(person.page, user);
    await isIn(person.page, name);
    await openSecurity(person.page);
    await person.page.getByRole('button', { name: 'Add passkey' }).click();
    const dialog = person.page.getByRole('dialog', { name: 'Add a passkey' });
    await dialog.getByLabel('Name').fill('Blue key');
    await dialog.getByRole('button', { name: 'Create passkey' }).click();
    const codes = await keepCodes(person.page);
    assert.equal(codes.length, 10);
    await person.page.locator('.passkey').getByText('Blue key').waitFor();
    await device.touch(false);
    return { user, person, device };
  }

  test('a passkey is added, renamed, used as the second factor, and removed', async () => {
    const { user, person, device } = await withPasskey('Ada');
    const { page } = person;
    assert.equal((await device.passkeys()).length, 1);
    await page.locator('.passkey').getByText('not used yet').waitFor();
    await page.getByRole('button', { name: 'Rename Blue key' }).click();
    const dialog = page.getByRole('dialog', { name: 'Rename the passkey' });
    await dialog.getByLabel('Name').fill('Green key');
    await dialog.getByRole('button', { name: 'Rename' }).click();
    await page.locator('.passkey').getByText('Green key').waitFor();

    await logOut(page);
    // It is the only factor, so that it is asked for without a click. A touch does not reach earlier requests.
    await page.route('**/api/auth/login/mfa/options', async (route) => {
      await device.touch(true);
      await route.continue();
    });
    await firstStep(page, user);
    await isIn(page, 'Ada');
    await openSecurity(page);
    await page.locator('.passkey').getByText('last used').waitFor();
    await page.locator('.session.is-current').getByText('passkey', { exact: true }).waitFor();

    await page.getByRole('button', { name: 'Remove Green key' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await page.getByText('Removed the passkey Green key.').waitFor();
    await eventually('no passkey', async () => (await page.locator('.passkey').count()) === 0);
    await logOut(page);
    await device.touch(false);
    await firstStep(page, user);
    await isIn(page, 'Ada');
    await browser.farewell(person);
  });

  test('the button on the login page logs in without an email or a password', async () => {
    const { person, device } = await withPasskey('Bob');
    const { page } = person;
    await logOut(page);
    assert.equal(await page.getByLabel('Email').getAttribute('autocomplete'), 'username webauthn');
    await device.touch(true);
    await page.getByRole('button', { name: 'Log in with a passkey' }).click();
    await isIn(page, 'Bob');
    await openSecurity(page);
    await page.locator('.session.is-current').getByText('passkey', { exact: true }).waitFor();
    await browser.farewell(person);
  });

  test('a passkey that the email field suggests logs in without a click', async () => {
    const { person, device } = await withPasskey('Cleo');
    const { page } = person;
    await device.touch(true);
    await Promise.all([
      page.waitForResponse('**/api/auth/passkeys/login'),
      page.getByRole('button', { name: 'Log out' }).first().click(),
    ]);
    await isIn(page, 'Cleo');
    await browser.farewell(person);
  });

  test('with several factors, the user chooses between them', async () => {
    const { user, person, device } = await withPasskey('Dora');
    const { page } = person;
    await page.getByRole('button', { name: 'Add authenticator app' }).click();
    const app = await connectApp(page);
    await page.getByText('Added the authenticator app.').waitFor();
    await logOut(page);
    await firstStep(page, user);
    await codeField(page).waitFor();
    await page.getByRole('button', { name: 'Use a passkey' }).click();
    await page.getByText('Confirm with the fingerprint').waitFor();
    await page.getByRole('button', { name: 'Use a code from your app' }).click();
    await codeField(page).fill(await app.code());
    await isIn(page, 'Dora');
    await browser.farewell(person);
  });
});

describe('passkeys that are required', () => {
  let town, browser;
  before(async () => {
    town = await Town.start({ MFA_REQUIRED: 'everybody', VERIFY_EMAIL: 'false' }, 'localhost');
    ({ browser } = town);
  });
  after(() => town?.stop());

  test('a new user creates a passkey before the console opens', async () => {
    const person = await browser.visitor();
    const { page } = person;
    const device = await Device.add(person);
    await signUp(page, 'Eve', town.address('eve'));
    await page.getByRole('heading', { name: 'Set up a second factor' }).waitFor();
    await page.getByRole('button', { name: 'Create a passkey' }).click();
    assert.equal((await keepCodes(page)).length, 10);
    await isIn(page, 'Eve');
    assert.equal((await device.passkeys()).length, 1);
    await browser.farewell(person);
  });
});
