// The step-up in the console, and the news of changed factors in other sessions.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { eventually } from '../lib/waiting.mjs';
import { live } from './browser.mjs';
import {
  Device,
  addApp,
  codeField,
  connectApp,
  keepCodes,
  logInWithCode,
  openSecurity,
  wrongCode,
} from './factors.mjs';
import { Town, isIn } from './people.mjs';

const STEP_UP = /\/api\/(v1\/)?auth\/step-up$/;

describe('the step-up in the console', () => {
  let town, browser;
  before(async () => {
    town = await Town.start({}, 'localhost');
    ({ browser } = town);
  });
  after(() => town?.stop());

  const dialogOf = (page) => page.getByRole('dialog', { name: 'Confirm that it is you' });

  /** Opens the page of a user who has added an app in another session, so that this session has shown no factor. */
  async function stalePerson(name) {
    const user = await town.user(name);
    const person = await town.person(user);
    await live(person.page);
    const added = await addApp(town, user);
    const sent = [];
    person.page.on('request', (request) => STEP_UP.test(request.url()) && sent.push(request.postDataJSON()));
    return { user, person, page: person.page, sent, ...added };
  }

  const replaceCodes = async (page) => {
    await openSecurity(page);
    await page.getByRole('button', { name: 'Replace codes' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Replace codes' }).click();
  };

  test('a sensitive request opens the dialog, and is sent again after a code on the open socket', async () => {
    const { person, page, app, sent } = await stalePerson('Ada');
    await replaceCodes(page);
    const dialog = dialogOf(page);
    const code = await app.code();
    assert.ok(await codeField(dialog).evaluate((input) => input === document.activeElement));
    await codeField(dialog).fill(wrongCode(code));
    await dialog.getByRole('alert').getByText('The code is wrong or was used.').waitFor();
    await codeField(dialog).fill(code);
    assert.equal((await keepCodes(page)).length, 10);
    assert.deepEqual(sent, [], 'the proof went over the socket');
    await page.locator('.session.is-current').getByText('second factor', { exact: true }).waitFor();

    // Fresh now: no other dialog.
    await page.getByRole('button', { name: 'Remove authenticator app' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await page.getByText('Removed the authenticator app.').waitFor();
    await browser.farewell(person);
  });

  test('a recovery code steps up over HTTP', async () => {
    const { person, page, recoveryCodes, sent } = await stalePerson('Bob');
    await replaceCodes(page);
    const dialog = dialogOf(page);
    await dialog.getByRole('button', { name: 'Use a recovery code' }).click();
    await dialog.getByLabel('Recovery code').fill(recoveryCodes[3]);
    await dialog.getByRole('button', { name: 'Confirm', exact: true }).click();
    assert.equal((await keepCodes(page)).length, 10);
    assert.deepEqual(sent, [{ recoveryCode: recoveryCodes[3] }]);
    await browser.farewell(person);
  });

  test('a code steps up over HTTP while the socket is closed', async () => {
    const { person, page, app, sent } = await stalePerson('Cleo');
    await page.routeWebSocket(/\/ws$/, (socket) => socket.close());
    await page.reload();
    await page.locator('.pill:not([data-state="live"])').waitFor();
    await replaceCodes(page);
    const code = await app.code();
    await codeField(dialogOf(page)).fill(code);
    assert.equal((await keepCodes(page)).length, 10);
    assert.deepEqual(sent, [{ code }]);
    await browser.farewell(person);
  });

  test('concurrent requests share one dialog, and cancelling rejects each with its own error', async () => {
    const { person, page, app } = await stalePerson('Dora');
    const ask = () =>
      page.evaluate(async () => {
        const { post } = await import('./src/api.js');
        const sent = [1, 2, 3].map(() => post('/api/auth/factors/recovery-codes'));
        const settled = await Promise.allSettled(sent);
        return settled.map(({ status, reason, value }) => reason?.code ?? (value?.data.recoveryCodes.length || status));
      });
    const refused = ask();
    await dialogOf(page).waitFor();
    assert.equal(await page.getByRole('dialog').count(), 1);
    await dialogOf(page).getByRole('button', { name: 'Cancel' }).click();
    assert.deepEqual(await refused, Array(3).fill('STEP_UP_REQUIRED'));

    const done = ask();
    await codeField(dialogOf(page)).fill(await app.code());
    assert.deepEqual(await done, [10, 10, 10]);
    assert.equal(await page.getByRole('dialog').count(), 0);
    await browser.farewell(person);
  });

  test('a passkey steps up on the open socket', async () => {
    const user = await town.user('Eve');
    const [person, other] = [await town.person(user), await town.person(user)];
    const { page } = person;
    const device = await Device.add(person);
    await openSecurity(other.page);
    await openSecurity(page);
    await page.getByRole('button', { name: 'Add passkey' }).click();
    await page.getByRole('button', { name: 'Create passkey' }).click();
    await keepCodes(page);
    await device.touch(false);

    // The other session has no device, and gets the same one.
    const [credential] = await device.passkeys();
    const copy = await Device.add(other);
    await copy.cdp.send('WebAuthn.addCredential', { authenticatorId: copy.id, credential });
    const sent = [];
    other.page.on('request', (request) => STEP_UP.test(request.url()) && sent.push(request.url()));
    await other.page.getByRole('button', { name: 'Replace codes' }).click();
    await other.page.getByRole('dialog').getByRole('button', { name: 'Replace codes' }).click();
    assert.equal((await keepCodes(other.page)).length, 10);
    assert.deepEqual(sent, []);
    await other.page.locator('.session.is-current').getByText('passkey', { exact: true }).waitFor();
    await browser.farewell(person, other);
  });

  test('another session asks whether the change was the user, and ends the session that made it', async () => {
    const user = await town.user('Fay');
    const [owner, thief] = [await town.person(user), await town.person(user)];
    await live(owner.page);
    await openSecurity(thief.page);
    await thief.page.getByRole('button', { name: 'Add authenticator app' }).click();
    const app = await connectApp(thief.page);
    await keepCodes(thief.page);
    const notice = owner.page.getByRole('alert').filter({ hasText: 'Was this you?' });
    await notice.getByText('An authenticator app was added to your account. Was this you?').waitFor();
    assert.equal(await thief.page.getByText('Was this you?').count(), 0);
    await notice.getByRole('button', { name: 'End that session' }).click();
    await thief.page.getByText('Your session was ended from another device.').waitFor();
    await owner.page.getByText('Ended that session.').waitFor();
    await eventually('no notice', async () => (await notice.count()) === 0);

    await logInWithCode(thief.page, user, app);
    await openSecurity(thief.page);
    await thief.page.getByRole('button', { name: 'Remove authenticator app' }).click();
    await thief.page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await notice.getByText('An authenticator app was removed from your account.').waitFor();
    await notice.getByRole('button', { name: 'It was me' }).click();
    await eventually('no notice', async () => (await notice.count()) === 0);
    await isIn(thief.page, 'Fay');
    await browser.farewell(owner, thief);
  });
});
