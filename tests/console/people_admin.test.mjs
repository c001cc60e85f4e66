// Admins and people in the console: users, invitations, and names instead of ids.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { succeeded } from '../lib/api.mjs';
import { sample } from '../lib/samples.mjs';
import { eventually } from '../lib/waiting.mjs';
import { openDrift, rows, visit } from './browser.mjs';
import { PASSWORD, Town, isIn } from './people.mjs';

describe('people as admins see them', () => {
  let town, browser, mailbox;
  before(async () => {
    town = await Town.start({ SIGNUP: 'invite' });
    ({ browser, mailbox } = town);
  });
  after(() => town?.stop());

  /** Invites a person in the console, and returns the address. */
  async function invite(page, role) {
    const email = town.address('guest');
    await visit(page, '#/admin/invitations');
    await page.getByRole('button', { name: 'Invite', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Email').fill(email);
    await dialog.getByLabel('Role').selectOption(role);
    await dialog.getByRole('button', { name: 'Send invitation' }).click();
    await page
      .getByRole('row', { name: new RegExp(email) })
      .getByText('pending')
      .waitFor();
    return email;
  }

  test('an invited person opens the link, and has the role of the invitation', async () => {
    const admin = await browser.person('admin');
    const email = await invite(admin.page, 'engineer');
    const guest = await browser.visitor();
    await guest.page.getByText('New accounts need an invitation.').waitFor();
    await guest.page.goto((await mailbox.next(email)).link);
    await guest.page.getByText(`Demo admin invited ${email} as engineer.`).waitFor();
    await guest.page.getByLabel('Name').fill('Lea');
    await guest.page.getByLabel('Password').fill(PASSWORD);
    await guest.page.getByRole('button', { name: 'Create account' }).click();
    await isIn(guest.page, 'Lea');
    await guest.page.locator('.whoami').getByText('engineer', { exact: true }).waitFor();
    await visit(admin.page, '#/admin/users');
    await visit(admin.page, '#/admin/invitations');
    await admin.page
      .getByRole('row', { name: new RegExp(email) })
      .getByText('accepted')
      .waitFor();
    await browser.farewell(admin, guest);
  });

  test('an invitation is sent again, accepted by its code, and a revoked one does not work', async () => {
    const { page, ...admin } = await browser.person('admin');
    const email = await invite(page, 'viewer');
    await mailbox.next(email);
    await page.getByRole('button', { name: `Send again: ${email}` }).click();
    const { code } = await mailbox.next(email);
    const guest = await browser.visitor();
    await guest.page.getByRole('link', { name: 'Enter a code' }).click();
    await guest.page.getByRole('heading', { name: 'Accept an invitation' }).waitFor();
    await guest.page.getByLabel('Email').fill(email);
    await guest.page.getByLabel('Code from the mail').fill(code);
    await guest.page.getByLabel('Name').fill('Max');
    await guest.page.getByLabel('Password').fill(PASSWORD);
    await guest.page.getByRole('button', { name: 'Create account' }).click();
    await isIn(guest.page, 'Max');

    const second = await invite(page, 'viewer');
    const { link } = await mailbox.next(second);
    await page.getByRole('button', { name: `Revoke: ${second}` }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await page
      .getByRole('row', { name: new RegExp(second) })
      .getByText('revoked')
      .waitFor();
    const late = await browser.visitor();
    await late.page.goto(link);
    await late.page.getByRole('heading', { name: 'This link is no longer valid' }).waitFor();
    await browser.farewell(admin, guest, late);
  });

  test('a user is created, edited, gets a reset link, and is deleted', async () => {
    const { page, ...admin } = await browser.person('admin');
    const email = town.address('nina');
    await visit(page, '#/admin/users');
    await page.getByRole('button', { name: 'New user' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('Nina');
    await dialog.getByLabel('Email').fill(email);
    await dialog.getByRole('button', { name: 'Generate a password' }).click();
    const password = await dialog.getByLabel('Password').inputValue();
    await dialog.getByRole('button', { name: 'Create user' }).click();
    await page.getByRole('link', { name: 'Nina' }).click();
    await page.getByText('Not logged in anywhere.').waitFor();

    const nina = await browser.visitor();
    await nina.page.getByLabel('Email').fill(email);
    await nina.page.getByLabel('Password').fill(password);
    await nina.page.getByRole('button', { name: 'Log in', exact: true }).click();
    await isIn(nina.page, 'Nina');

    await page.getByRole('button', { name: 'Edit Nina' }).click();
    await dialog.getByLabel('Name').fill('Nina Simone');
    await dialog.getByLabel('Role').selectOption('engineer');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByRole('button', { name: 'Change role' }).click();
    await page.locator('.profile-head').getByText('Nina Simone').waitFor();
    await page.getByText(/^\d+ open sockets?$/).waitFor();
    await nina.page.locator('.whoami').getByText('engineer', { exact: true }).waitFor();

    await page.getByRole('button', { name: 'Send reset link of Nina Simone' }).click();
    await dialog.getByRole('button', { name: 'Send reset link' }).click();
    assert.match((await mailbox.next(email)).link, /#\/reset-password\?token=/);

    await page.getByRole('button', { name: 'Delete Nina Simone' }).click();
    await dialog.getByRole('button', { name: 'Delete user' }).click();
    await nina.page.getByText('Your account was deleted.').waitFor();
    await page.getByLabel('Search users').fill('Nina');
    await page.getByText('No user found').waitFor();
    await browser.farewell(admin, nina);
  });

  test('users are filtered by role, state and email', async () => {
    const user = await town.user('Otto', 'engineer');
    const { page, ...admin } = await browser.person('admin');
    await visit(page, '#/admin/users');
    const names = () => page.locator('tbody .user-link').allTextContents();
    await page.getByLabel('Role', { exact: true }).selectOption('engineer');
    await page.getByLabel('Email', { exact: true }).selectOption('false');
    await eventually('Otto', async () => {
      const shown = await names();
      return shown.includes('Otto') && !shown.includes('Demo admin');
    });
    await page.getByLabel('State').selectOption('false');
    await eventually('no active user', async () => !(await names()).includes('Otto'));
    succeeded(await town.root.patch(`/api/auth/users/${user.id}`, { isActive: false }));
    await page.getByLabel('Search users').fill('otto');
    await eventually('Otto, who is disabled', async () => (await names()).includes('Otto'));
    await browser.farewell(admin);
  });

  test('decisions show a name, and "Deleted user" after the deletion', async () => {
    const user = await town.user('Pia', 'engineer');
    const pia = await town.app.api
      .post('/api/auth/login', { email: user.email, password: PASSWORD })
      .then(succeeded);
    const caller = town.app.api.withToken(pia.data.accessToken);
    succeeded(await caller.ingest(await sample('fakeaws_1/plan.json'), { stack: 'named' }));
    const [drift] = await caller.list('/api/v1/drifts');
    succeeded(await caller.post(`/api/v1/drifts/${drift.id}/approve`, { reason: 'fine' }));

    const viewer = await browser.person('viewer');
    await visit(viewer.page, '#/drifts?status=any');
    await rows(viewer.page).first().waitFor();
    await openDrift(viewer.page);
    await viewer.page.locator('.history .person').getByText('Pia').first().waitFor();
    await viewer.page.locator('.outcome .person').getByText('Pia').waitFor();

    succeeded(await town.root.delete(`/api/auth/users/${user.id}`));
    await viewer.page.reload();
    await viewer.page.locator('.outcome .person').getByText('Deleted user').waitFor();
    await browser.farewell(viewer);
  });
});
