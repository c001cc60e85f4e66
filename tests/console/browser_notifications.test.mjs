// Notifications of the browser about new drifts, while no tab of the console is visible.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { succeeded } from '../lib/api.mjs';
import { allInOne } from '../lib/deployments.mjs';
import { planOf } from '../lib/plans.mjs';
import { eventually } from '../lib/waiting.mjs';
import { Browser, live, visit } from './browser.mjs';

const KEY = 'driftsentry.browser-notifications';

/** Keeps the notifications of a page, which are shown nevertheless. */
function observe() {
  window.shownNotifications = [];
  window.Notification = class extends window.Notification {
    constructor(title, options) {
      super(title, options);
      window.shownNotifications.push(this);
    }
  };
}

/** Makes a page believe that another one covers it. A browser without a screen covers none. */
const setHidden = (page, isHidden) =>
  page.evaluate((value) => {
    Object.defineProperty(document, 'hidden', { value, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  }, isHidden);

const shownIn = (page) =>
  page.evaluate(() => window.shownNotifications.map(({ title, body, tag }) => ({ title, body, tag })));

/** Waits until exactly the tabs in these pages count as visible. */
const visibleTabs = (page, count) =>
  eventually(`${count} visible tabs`, () =>
    page.evaluate(async (expected) => {
      const { held } = await navigator.locks.query();
      return held.filter(({ name }) => name === 'driftsentry.visible').length === expected;
    }, count),
  );

describe('notifications of the browser', () => {
  let app, api, browser;
  before(async () => {
    app = await allInOne();
    api = await app.api.login('admin');
    browser = await Browser.start(app.api.origins.auth);
  });
  after(async () => {
    await browser?.stop();
    await app?.stop();
  });

  const scan = async (stack, count) => succeeded(await api.ingest(planOf(count), { stack }));
  const box = (page) => page.getByLabel('Notify me in this browser');

  /** Opens the page of a person who may be notified, with the choices of the account page. */
  async function notified({ severity = 'any severity', stacks = '' } = {}) {
    const person = await browser.visitor();
    const { context, page } = person;
    await context.grantPermissions(['notifications']);
    await context.addInitScript(observe);
    await page.reload();
    const user = { email: 'engineer@driftsentry.local', password: 'engineer123' };
    await page.getByLabel('Email').fill(user.email);
    await page.getByLabel('Password').fill(user.password);
    await page.getByRole('button', { name: 'Log in', exact: true }).click();
    await live(page);
    await visit(page, '#/account');
    await box(page).check();
    await page.getByLabel('Severity').selectOption(severity);
    await page.getByLabel('Stacks (optional)').fill(stacks);
    await page.getByLabel('Stacks (optional)').blur();
    assert.deepEqual(
      (await shownIn(page)).map(({ title }) => title),
      ['Notifications are on'],
    );
    return person;
  }

  test('a new drift is shown once over several hidden tabs, and a press opens it', async () => {
    const { context, page, ...person } = await notified({ stacks: 'prod-*, network' });
    const second = await context.newPage();
    await second.goto(app.api.origins.auth);
    await live(second);
    await visibleTabs(page, 2);
    await setHidden(page, true);
    await visibleTabs(page, 1);
    await scan('prod-visible', 1);
    await second.getByRole('link', { name: /^Drifts/ }).locator('.badge').getByText('1').waitFor();
    await setHidden(second, true);
    await visibleTabs(page, 0);
    await scan('other', 1);
    await scan('prod-<b>', 2);

    const shown = async () => [...(await shownIn(page)).slice(1), ...(await shownIn(second))];
    const drifts = (await api.list('/api/v1/drifts')).filter(({ stack }) => stack === 'prod-<b>');
    await eventually('both drifts', async () => {
      const tags = new Set((await shown()).map(({ tag }) => tag));
      return drifts.every(({ id }) => tags.has(id));
    });
    for (const { body, title } of await shown()) assert.match(`${title} ${body}`, /prod-<b>/);
    assert.equal((await shownIn(second)).length * ((await shownIn(page)).length - 1), 0, 'only one tab shows any');

    const [{ id }] = drifts;
    const notifier = (await shownIn(second)).length > 0 ? second : page;
    await notifier.evaluate(
      (tag) => window.shownNotifications.findLast((shown) => shown.tag === tag).dispatchEvent(new Event('click')),
      id,
    );
    await notifier.waitForURL((url) => url.hash.startsWith(`#/drifts/${id}`));
    await browser.farewell({ context, ...person });
  });

  test('many drifts at once are one notification, and the severity counts', async () => {
    const { page, ...person } = await notified({ severity: 'warning or critical' });
    await setHidden(page, true);
    await visibleTabs(page, 0);
    await scan('many', 20);
    await eventually('one', async () => (await shownIn(page)).some(({ tag }) => tag === 'many'));
    const { title, body } = (await shownIn(page)).find(({ tag }) => tag === 'many');
    // Every fifth drift is not severe.
    assert.match(title, /^1\d new drifts/);
    assert.equal(body, 'many');
    await browser.farewell({ page, ...person });
  });

  test('the choices belong to the user, and to this device', async () => {
    const { context, page, ...person } = await notified({ severity: 'critical', stacks: 'a*b, c' });
    const [[, kept]] = JSON.parse(await page.evaluate((key) => localStorage.getItem(key), KEY));
    assert.deepEqual(kept, { isOn: true, minSeverity: 'critical', stacks: ['a*b', 'c'] });
    await page.getByRole('banner').getByRole('button', { name: 'Log out' }).click();
    await page.getByLabel('Email').fill('viewer@driftsentry.local');
    await page.getByLabel('Password').fill('viewer123');
    await page.getByRole('button', { name: 'Log in', exact: true }).click();
    await live(page);
    await visit(page, '#/account');
    assert.equal(await box(page).isChecked(), false);
    await browser.farewell({ context, ...person });
  });

  test('the page explains when the browser blocks them', async () => {
    const person = await browser.person('viewer');
    const { page } = person;
    await visit(page, '#/account');
    await page.getByText('Shown about new drifts and alerts while the console is open').waitFor();
    // Nobody can allow them in a browser without a screen, which then refuses.
    await box(page).click();
    await page.getByText('This browser blocks notifications of this page.').waitFor();
    assert.equal(await box(page).isChecked(), false);
    await browser.farewell(person);
  });
});
