import assert from 'node:assert/strict';

import { chromium } from 'playwright-core';

const PROGRAM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
];

/** The browser's own message about an error response. The page handles these responses. */
const REFUSED = /^Failed to load resource: the server responded with a status of 4\d\d/;
/** The browser's own messages about an unavailable network. */
export const AWAY = /net::ERR_INTERNET_DISCONNECTED|WebSocket connection to .* failed/;

/** A browser with several people, each with their own cookies. */
export class Browser {
  static async start(url) {
    const browser = new Browser();
    browser.url = url;
    browser.program = await chromium.launch({ executablePath: PROGRAM, args: FLAGS });
    return browser;
  }

  /** Opens the page of a new person who is not logged in; `complaints` has the errors of their browser. */
  async visitor({ allow = REFUSED, ...options } = {}) {
    const context = await this.program.newContext({ viewport: { width: 1280, height: 820 }, ...options });
    context.setDefaultTimeout(20_000);
    const complaints = [];
    const complain = (text) => allow.test(text) || REFUSED.test(text) || complaints.push(text);
    context.on('console', (message) => message.type() === 'error' && complain(message.text()));
    context.on('weberror', (error) => complain(error.error().stack));
    const page = await context.newPage();
    await page.goto(this.url);
    return { context, page, complaints };
  }

  /** Opens the page of a person who is logged in with a demo account. */
  async person(role, options) {
    const person = await this.visitor(options);
    await logIn(person.page, role);
    return person;
  }

  /** Closes the pages, and fails if a browser reported an error. */
  async farewell(...people) {
    for (const { context, complaints } of people) {
      await context.close();
      assert.deepEqual(complaints, [], 'no console error, no policy violation');
    }
  }

  stop() {
    return this.program.close();
  }
}

export const logIn = (page, role) => logInAs(page, `${role}@driftsentry.local`, `${role}123`);

export async function logInAs(page, email, password) {
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in', exact: true }).click();
  await live(page);
}

/** Waits until the page is live and shows all further events. */
export const live = (page) => page.locator('.pill[data-state="live"]').waitFor();

export const rows = (page) => page.locator('tr[data-id]');

/** Opens a view by its address. */
export async function visit(page, path) {
  await page.evaluate((hash) => (location.hash = hash), path);
}

/** Opens a drift of the list by its index, and returns its id. */
export async function openDrift(page, place = 0) {
  const row = rows(page).nth(place);
  const id = await row.getAttribute('data-id');
  await row.locator('.row-link').click();
  await page.locator('.history').waitFor();
  return id;
}
