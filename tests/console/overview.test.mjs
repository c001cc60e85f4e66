// The overview: the trend in a range, the worst stacks, what has changed since the last visit, and the first steps.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { succeeded } from '../lib/api.mjs';
import { allInOne } from '../lib/deployments.mjs';
import { planOf } from '../lib/plans.mjs';
import { sample } from '../lib/samples.mjs';
import { eventually } from '../lib/waiting.mjs';
import { Browser, live, logIn, visit } from './browser.mjs';
import { DEVICES, inspect } from './inspect.mjs';

const daysAgo = (days) => new Date(Date.now() - days * 86_400_000);

describe('the overview', () => {
  let app, api, browser;
  before(async () => {
    app = await allInOne();
    api = await app.api.login('engineer');
    succeeded(await api.ingest(planOf(300), { stack: 'today' }));
    succeeded(await api.ingest(planOf(40, { at: daysAgo(10) }), { stack: 'before' }));
    succeeded(await api.ingest(planOf(25, { at: daysAgo(60) }), { stack: 'long-ago' }));
    browser = await Browser.start(app.api.origins.auth);
  });
  after(async () => {
    await browser?.stop();
    await app?.stop();
  });

  /** Returns the numbers of the chart, oldest first. */
  const chart = async (page) => {
    const label = await page.getByRole('img', { name: 'New drifts per day' }).getAttribute('aria-label');
    return [...label.matchAll(/ (\d+)(?=,|$)/g)].map(([, number]) => Number(number));
  };
  const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

  test('the trend counts all drifts of the range that is in the address', async () => {
    const { page, ...viewer } = await browser.person('viewer');
    await page.getByText('340 drifts opened').waitFor();
    const days = await chart(page);
    assert.equal(days.length, 14);
    assert.equal(days.at(-1), 300, 'more than a page of drifts');
    assert.equal(sum(days), 340);
    await page.getByRole('button', { name: '90 days' }).click();
    await page.waitForURL(/#\/overview\?days=90/);
    await page.getByText('365 drifts opened').waitFor();
    assert.equal((await chart(page)).length, 90);
    await page.reload();
    await live(page);
    await page.getByRole('heading', { name: 'New in 90 days' }).waitFor();
    await page.getByText('365 drifts opened').waitFor();
    await page.getByRole('button', { name: '7 days' }).click();
    await page.getByText('300 drifts opened').waitFor();
    await page.getByRole('button', { name: '14 days' }).click();
    await page.waitForURL((url) => url.hash === '#/overview');

    // A live drift is counted at once.
    succeeded(await api.ingest(planOf(1), { stack: 'live' }));
    await eventually('the new drift', async () => (await chart(page)).at(-1) === 301);
    await browser.farewell(viewer);
  });

  test('the worst stacks are listed with their status and their open drifts', async () => {
    const { page, ...viewer } = await browser.person('viewer');
    const panel = page.locator('.panel', { has: page.getByRole('heading', { name: 'Worst stacks' }) });
    const stack = panel.getByRole('listitem').filter({ hasText: 'today' });
    await stack.getByRole('link', { name: /open warning in today/ }).waitFor();
    assert.ok((await stack.locator('.stack-status').textContent()).length > 0);
    await stack.getByRole('link', { name: 'today', exact: true }).click();
    await page.waitForURL(/#\/stacks\/today/);
    await browser.farewell(viewer);
  });

  test('a visit after a pause begins with what has changed since the last one', async () => {
    const { page, ...engineer } = await browser.person('engineer');
    await page.getByRole('heading', { name: 'Look at these first' }).waitFor();
    const heading = page.getByRole('heading', { name: 'Since your last visit' });
    assert.equal(await heading.count(), 0, 'the first visit');
    await page.reload();
    await page.getByRole('heading', { name: 'Look at these first' }).waitFor();
    assert.equal(await heading.count(), 0, 'no pause');

    // The user was here two hours ago, and the decision and the scan came later.
    await page.evaluate(() => {
      const [[id]] = JSON.parse(localStorage.getItem('driftsentry.visits'));
      localStorage.setItem('driftsentry.visits', JSON.stringify([[id, { seen: Date.now() - 7_200_000 }]]));
    });
    const [{ id }] = (await api.get('/api/v1/drifts?stack=before&limit=1')).data;
    succeeded(await api.post(`/api/v1/drifts/${id}/approve`, { reason: 'expected' }));
    succeeded(await api.ingest(planOf(5), { stack: 'new' }));
    await page.reload();
    await heading.waitFor();
    const panel = page.locator('.since');
    await panel.getByText('1 approved').waitFor();
    const opened = await panel.getByRole('link', { name: /drifts opened/ }).textContent();
    assert.equal(await panel.getByText('rejected').count(), 0);
    await panel.getByRole('link', { name: 'new', exact: true }).waitFor();
    await panel.getByRole('link', { name: /drifts opened/ }).click();
    await page.getByRole('button', { name: /^Remove the filter Detected since/ }).waitFor();
    await page.getByRole('button', { name: `All ${parseInt(opened, 10)}`, exact: true }).waitFor();
    await browser.farewell(engineer);
  });

  for (const [device, options] of Object.entries(DEVICES)) {
    test(`axe finds no serious fault on the overview and the first steps, ${device}`, async (t) => {
      const { page, ...viewer } = await browser.person('viewer', options);
      await page.evaluate(() => {
        const [[id]] = JSON.parse(localStorage.getItem('driftsentry.visits'));
        localStorage.setItem('driftsentry.visits', JSON.stringify([[id, { seen: Date.now() - 7_200_000 }]]));
      });
      await page.reload();
      await page.locator('.changes').waitFor();
      await page.locator('.worst-stacks').waitFor();
      await page.locator('.chart').waitFor();
      await inspect(page, 'the overview');
      await browser.farewell(viewer);

      const fresh = await allInOne();
      t.after(() => fresh.stop());
      const visitor = await browser.visitor(options);
      await visitor.page.goto(fresh.api.origins.auth);
      await logIn(visitor.page, 'admin');
      await visitor.page.getByRole('heading', { name: 'Name the first stack' }).waitFor();
      await inspect(visitor.page, 'the first steps');
      await browser.farewell(visitor);
    });
  }

  test('an admin of an empty instance is led to the first scan', async (t) => {
    const fresh = await allInOne();
    t.after(() => fresh.stop());
    const { page, ...visitor } = await browser.visitor({ permissions: ['clipboard-read', 'clipboard-write'] });
    await page.goto(fresh.api.origins.auth);
    await logIn(page, 'admin');
    const steps = page.locator('.step');
    await steps.nth(0).getByText('The admin account exists').waitFor();
    assert.ok(await steps.nth(0).evaluate(({ classList }) => classList.contains('is-done')));
    await page.getByLabel('Stack').fill('prod/network eu');
    const code = page.getByLabel('The step for CI');
    for (const [name, text] of [
      ['GitHub', 'uses: ./.github/actions/driftsentry'],
      ['GitLab', 'templates/driftsentry.yml'],
      ['driftsentry scan', "--stack 'prod/network-eu'"],
      ['curl', '/api/v1/drifts/ingest?stack=prod%2Fnetwork-eu'],
    ]) {
      await page.getByRole('button', { name, exact: true }).click();
      const shown = await code.textContent();
      assert.ok(shown.includes(text) && shown.includes(fresh.api.origins.auth), shown);
    }
    await page.getByRole('button', { name: 'Copy the step' }).click();
    await page.getByText('Copied.').waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), await code.textContent());

    const engineer = await fresh.api.login('engineer');
    succeeded(await engineer.ingest(await sample('fakeaws_20/scan1.plan.json'), { stack: 'prod/network-eu' }));
    await steps.nth(3).getByText('The first scan of prod/network-eu has arrived.').waitFor();
    assert.ok(await steps.nth(3).evaluate(({ classList }) => classList.contains('is-done')));
    await page.getByRole('button', { name: 'Show the overview' }).click();
    await page.locator('.card-open .figure').getByText('20').waitFor();
    await page.locator('.worst-stacks').getByText('prod/network-eu').waitFor();
    await visit(page, '#/account');
    await visit(page, '#/overview');
    await page.locator('.card-open').waitFor();
    assert.equal(await steps.count(), 0);
    await browser.farewell(visitor);
  });
});
