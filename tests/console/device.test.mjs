// A person approves the login of a terminal: the page asks for a login first, shows who asks, and keeps no code in the
// address.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { allInOne } from '../lib/deployments.mjs';
import { Process, binary } from '../lib/process.mjs';
import { temporaryFolder } from '../lib/servers.mjs';
import { eventually } from '../lib/waiting.mjs';
import { Browser, logIn, visit } from './browser.mjs';
import { DEVICES, inspect } from './inspect.mjs';

const NAME = '<img src=x onerror=alert(1)> laptop';

let app, browser, home;

before(async () => {
  app = await allInOne();
  home = await temporaryFolder();
  browser = await Browser.start(app.api.origins.auth);
});

after(async () => {
  await browser?.stop();
  await app?.stop();
  await home?.remove();
});

/** Starts `driftsentry login`. Returns its process and the address of the page that it prints. */
async function startLogin() {
  const args = ['login', '--server', app.api.origins.auth, '--name', NAME];
  const terminal = new Process(binary('driftsentry'), args, { HOME: home.path });
  const [, address] = await terminal.until('the address', () => /\/(#\/device\?code=[A-Z]{4}-[A-Z]{4})\n/.exec(terminal.log));
  return { terminal, address, code: address.split('=')[1] };
}

test('a person logs in, sees which device asks, and approves it', async () => {
  const { terminal, address } = await startLogin();
  const { page, ...engineer } = await browser.visitor(DEVICES['in light']);
  await visit(page, address);
  await logIn(page, 'engineer');
  const panel = page.locator('.panel-first');
  await panel.getByText('Approve only if you started this login yourself').waitFor();
  assert.match(await panel.textContent(), /Device<img src=x onerror=alert\(1\)> laptopIP address127\.0\.0\.1/);
  assert.equal(await page.evaluate(() => location.hash), '#/device');
  await inspect(page, 'the page of an approval');
  await page.getByRole('button', { name: 'Approve', exact: true }).click();
  await page.getByRole('heading', { name: 'Approved', exact: true }).waitFor();
  await eventually('the login', () => /Logged in to .* as engineer@/.test(terminal.log));
  await visit(page, '#/account/security');
  await page.getByText('driftsentry CLI on <img src=x onerror=alert(1)> laptop').waitFor();

  // The code was decided, so that it is unknown now.
  await visit(page, address);
  await page.getByText('No login with this code waits for a decision').waitFor();
  await browser.farewell({ page, ...engineer });
});

test('a person types the code, and denies the login', async () => {
  const { terminal, code } = await startLogin();
  const { page, ...viewer } = await browser.person('viewer');
  await visit(page, '#/device');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByText('Code is missing.').waitFor();
  await page.getByLabel('Code').fill('AAAA');
  await page.keyboard.press('Enter');
  await page.getByText('No login with this code waits for a decision').waitFor();
  await page.getByLabel('Code').fill(` ${code.toLowerCase().replace('-', '')} `);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Deny', exact: true }).click();
  await page.getByRole('heading', { name: 'Denied', exact: true }).waitFor();
  await eventually('the refusal', () => terminal.log.includes('the login was denied'));
  await browser.farewell({ page, ...viewer });
});
