// The pages of second factors by keyboard, on a phone, in both themes, and with a screen reader.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { eventually } from '../lib/waiting.mjs';
import { live } from './browser.mjs';
import { App, addApp, codeField, connectApp, firstStep, keepCodes, openSecurity } from './factors.mjs';
import { DEVICES, inspect } from './inspect.mjs';
import { PASSWORD, Town, isIn, signUp } from './people.mjs';

describe('the pages of second factors for everybody', () => {
  let town, strict;
  before(async () => {
    town = await Town.start({ TRUSTED_DEVICE_DAYS: '30' }, 'localhost');
    strict = await Town.start({ MFA_REQUIRED: 'everybody', VERIFY_EMAIL: 'false' }, 'localhost');
  });
  after(async () => {
    await town?.stop();
    await strict?.stop();
  });

  for (const [device, options] of Object.entries(DEVICES)) {
    test(`axe finds no serious fault on the pages of factors, ${device}`, async () => {
      const user = await town.user('Ada');
      const { page, ...person } = await town.person(user, options);
      await openSecurity(page);
      await page.locator('.session.is-current').waitFor();
      await inspect(page, 'without a factor');
      await page.getByRole('button', { name: 'Add authenticator app' }).click();
      await page.getByRole('img', { name: 'QR code' }).waitFor();
      await inspect(page, 'the setup of an app');
      await connectApp(page);
      await page.getByRole('dialog', { name: 'Your recovery codes' }).waitFor();
      await inspect(page, 'the recovery codes');
      await keepCodes(page);
      await page.getByText('10 left').waitFor();
      await inspect(page, 'with a factor');
      await town.browser.farewell(person);

      const visitor = await town.browser.visitor(options);
      await firstStep(visitor.page, user);
      await codeField(visitor.page).waitFor();
      await inspect(visitor.page, 'the second step');
      await visitor.page.getByRole('button', { name: 'Use a recovery code' }).click();
      await inspect(visitor.page, 'the second step with a recovery code');

      const other = await town.user('Bob');
      const stale = await town.person(other, options);
      await openSecurity(stale.page);
      await addApp(town, other);
      await stale.page.getByText('Was this you?').waitFor();
      await inspect(stale.page, 'the message about a new factor');
      await stale.page.getByRole('button', { name: 'Remove authenticator app' }).click();
      await stale.page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
      await codeField(stale.page).waitFor();
      await inspect(stale.page, 'the step-up');
      await town.browser.farewell(visitor, stale);

      const guest = await strict.browser.visitor(options);
      await signUp(guest.page, 'Cleo', strict.address('cleo'));
      await guest.page.getByRole('heading', { name: 'Set up a second factor' }).waitFor();
      await inspect(guest.page, 'the choice of a factor');
      await guest.page.getByRole('button', { name: 'Use an authenticator app' }).click();
      await guest.page.getByRole('img', { name: 'QR code' }).waitFor();
      await inspect(guest.page, 'the setup of an app during a login');
      await strict.browser.farewell(guest);
    });
  }

  test('by keyboard alone: add an app, log out, and log in with its code', async () => {
    const user = await town.user('Dora');
    const { page, ...person } = await town.person(user);
    const focused = () =>
      page.evaluate(() => document.activeElement.ariaLabel || document.activeElement.textContent.trim());
    const tabTo = (text) =>
      eventually(`focus on ${text}`, async () => {
        await page.keyboard.press('Tab');
        return (await focused()) === text;
      });
    await openSecurity(page);
    await tabTo('Add authenticator app');
    await page.keyboard.press('Enter');
    await page.getByLabel('Code from the app').waitFor();
    const app = new App((await page.locator('.totp-key').textContent()).replaceAll(' ', ''));
    await page.keyboard.type(await app.code());
    await page.getByLabel('I have saved these codes').waitFor();
    assert.ok(await page.getByLabel('I have saved these codes').evaluate((box) => box === document.activeElement));
    await page.keyboard.press('Space');
    await tabTo('Done');
    await page.keyboard.press('Enter');
    await page.getByText('10 left').waitFor();
    await eventually('the focus is on the factors', () =>
      page.evaluate(() => document.activeElement.closest('.factor') !== null),
    );
    await tabTo('Log out');
    await page.keyboard.press('Enter');
    await page.getByText('You are logged out.').waitFor();
    await page.keyboard.type(user.email);
    await page.keyboard.press('Tab');
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press('Enter');
    await codeField(page).waitFor();
    await page.keyboard.type(await app.code());
    await isIn(page, 'Dora');
    await live(page);
    await town.browser.farewell(person);
  });
});
