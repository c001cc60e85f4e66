import { setTimeout as pause } from 'node:timers/promises';

import { Secret, TOTP } from 'otpauth';

import { succeeded } from '../lib/api.mjs';
import { live, visit } from './browser.mjs';
import { PASSWORD } from './people.mjs';

const STEP_MS = 30_000;

/** An authenticator app. The server accepts each step once, so every code is of a later step than the one before. */
export class App {
  #totp;
  #step = 0;

  constructor(secret) {
    this.#totp = new TOTP({ secret: Secret.fromBase32(secret) });
  }

  /** Returns a code that was not used yet. The server accepts the code of the next step too. */
  async code() {
    const now = () => Math.floor(Date.now() / STEP_MS);
    this.#step = Math.max(this.#step + 1, now());
    const early = (this.#step - 1) * STEP_MS - Date.now();
    if (early > 0) await pause(early);
    return this.#totp.generate({ timestamp: this.#step * STEP_MS });
  }
}

/** Returns another six digits. */
export const wrongCode = (code) => (code === '000000' ? '111111' : '000000');

/** Adds an app to a user over the API. Returns the app, the recovery codes, and the client that added it. */
export async function addApp(town, user) {
  const { data } = succeeded(await town.app.api.post('/api/auth/login', { email: user.email, password: PASSWORD }));
  const api = town.app.api.withToken(data.accessToken);
  const { secret } = succeeded(await api.post('/api/auth/factors/totp')).data;
  const app = new App(secret);
  const { recoveryCodes } = succeeded(await api.post('/api/auth/factors/totp/confirm', { code: await app.code() })).data;
  return { app, recoveryCodes, api };
}

/** Fills the first step of a login. */
export async function firstStep(page, { email }) {
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Log in', exact: true }).click();
}

export const codeField = (page) => page.getByLabel('Code from your authenticator app');

/** Logs in with a password and a code. */
export async function logInWithCode(page, user, app) {
  await firstStep(page, user);
  await codeField(page).fill(await app.code());
  await live(page);
}

/** Opens the security page. */
export async function openSecurity(page) {
  await visit(page, '#/account/security');
  await page.getByRole('heading', { name: 'Authenticator app' }).waitFor();
}

/** Connects the app that the page shows, and returns it. */
export async function connectApp(page) {
  const app = new App((await page.locator('.totp-key').textContent()).replaceAll(' ', ''));
  await page.getByLabel('Code from the app').fill(await app.code());
  return app;
}

/** Reads the recovery codes that the page shows, and closes them. */
export async function keepCodes(page) {
  const dialog = page.getByRole('dialog', { name: 'Your recovery codes' });
  await dialog.waitFor();
  const codes = await dialog.locator('li code').allTextContents();
  await dialog.getByLabel('I have saved these codes').check();
  await dialog.getByRole('button', { name: 'Done' }).click();
  await dialog.waitFor({ state: 'detached' });
  return codes;
}

/** A device with passkeys, as Chromium simulates it for one page. */
export class Device {
  static async add({ context, page }) {
    const device = new Device();
    device.cdp = await context.newCDPSession(page);
    await device.cdp.send('WebAuthn.enable');
    const { authenticatorId } = await device.cdp.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    device.id = authenticatorId;
    return device;
  }

  /** Sets whether the user touches the device when it is asked. */
  touch(enabled) {
    return this.cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId: this.id, enabled });
  }

  async passkeys() {
    const { credentials } = await this.cdp.send('WebAuthn.getCredentials', { authenticatorId: this.id });
    return credentials;
  }
}
