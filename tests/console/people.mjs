import { succeeded } from '../lib/api.mjs';
import { allInOne } from '../lib/deployments.mjs';
import { Mailbox } from '../lib/mail.mjs';
import { Browser, live, logInAs } from './browser.mjs';

export const PASSWORD = 'correct horse battery';
export const OTHER_PASSWORD = 'staple tractor violin';

/** A deployment that sends mail and verifies addresses, with a browser. `env` adds environment variables. */
export class Town {
  #people = 0;

  static async start(env = {}) {
    const town = new Town();
    town.mailbox = await Mailbox.start();
    town.app = await allInOne((url) => ({
      SMTP_URL: town.mailbox.url,
      MAIL_FROM: 'DriftSentry <driftsentry@example.org>',
      PUBLIC_URL: url,
      VERIFY_EMAIL: 'true',
      LOGIN_METHODS: 'password,email',
      ...env,
    }));
    town.browser = await Browser.start(town.app.api.origins.auth);
    town.root = await town.app.api.login('admin');
    return town;
  }

  /** Returns an address that no other test uses. */
  address(name) {
    this.#people += 1;
    return `${name}${this.#people}@example.org`;
  }

  /** Creates a user who has not verified the address. */
  async user(name, role = 'viewer') {
    const email = this.address(name.toLowerCase());
    const created = await this.root.post('/api/auth/users', { name, email, password: PASSWORD, role });
    return succeeded(created).data;
  }

  /** Opens the page of a user who is logged in. */
  async person(user, options) {
    const person = await this.browser.visitor(options);
    await logInAs(person.page, user.email, PASSWORD);
    return person;
  }

  async stop() {
    await this.browser?.stop();
    await this.app?.stop();
    await this.mailbox?.stop();
  }
}

/** Opens a link of a mail in another tab of the same browser. */
export async function openTab({ context }, link) {
  const tab = await context.newPage();
  await tab.goto(link);
  return tab;
}

/** Asks for the mail that resets a password. */
export async function forget(page, email) {
  await page.getByRole('link', { name: 'Forgot password?' }).click();
  await page.getByRole('heading', { name: 'Forgot your password?' }).waitFor();
  await page.getByLabel('Email').fill(email);
  await page.getByRole('button', { name: 'Send mail' }).click();
  await page.getByLabel('Code from the mail').waitFor();
}

/** Fills the form of a new account, and sends it. */
export async function signUp(page, name, email) {
  await page.getByRole('button', { name: 'Create an account' }).click();
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Create account' }).click();
}

/** Waits until the console is shown to this user. */
export async function isIn(page, name) {
  await live(page);
  await page.locator('.whoami').getByText(name, { exact: true }).waitFor();
}
