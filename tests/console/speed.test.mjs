// The size of the console, its loading time, and its behaviour in a flood of events.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { allInOne } from '../lib/deployments.mjs';
import { sample } from '../lib/samples.mjs';
import { eventually } from '../lib/waiting.mjs';
import { Browser, live, logIn, rows, visit } from './browser.mjs';

const FIRST_VIEW_BYTES = 200 * 1024;
const FIRST_VIEW_REQUESTS = 60;
const FLOOD = 5_000;

describe('the speed of the console', () => {
  let app, browser;
  before(async () => {
    app = await allInOne();
    browser = await Browser.start(app.api.origins.auth);
  });
  after(async () => {
    await browser?.stop();
    await app?.stop();
  });

  test('the first view is small and fast', async (t) => {
    const small = await allInOne();
    t.after(() => small.stop());
    const api = await small.api.login('engineer');
    await api.ingest(await sample('fakeaws_20/scan1.plan.json'), { stack: 'demo' });
    const { context, page, ...visitor } = await browser.visitor();
    await page.goto(small.api.origins.auth);
    await logIn(page, 'engineer');
    // The body of a response that arrives during the reload could not be read.
    await live(page);
    await page.locator('.urgent').waitFor();
    await page.locator('.chart').waitFor();

    // As in a browser with an empty cache.
    const session = await context.newCDPSession(page);
    await session.send('Network.setCacheDisabled', { cacheDisabled: true });
    const sizes = [];
    const asked = new Set();
    context.on('request', (request) => asked.add(request));
    context.on('response', (answer) => {
      if (asked.has(answer.request())) sizes.push(answer.body().then((body) => body.length));
    });
    await page.reload();
    await live(page);
    await page.locator('.urgent').waitFor();
    await page.locator('.chart').waitFor();
    const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
    assert.ok(bytes > 0 && bytes < FIRST_VIEW_BYTES, `${bytes} bytes`);
    assert.ok(asked.size <= FIRST_VIEW_REQUESTS, `${asked.size} requests`);
    const ofTheApi = [...asked].filter((request) => new URL(request.url()).pathname.startsWith('/api/'));
    // Who is logged in (2) and since when, the numbers, the trend, the worst drifts, and the worst stacks.
    assert.ok(ofTheApi.length <= 7, `${ofTheApi.length} requests to the API`);
    // Nothing keeps the page from being interactive: every script waits until the document is parsed.
    const blocking = await page.evaluate(() =>
      performance
        .getEntriesByType('resource')
        .filter(({ name, renderBlockingStatus }) => name.endsWith('.js') && renderBlockingStatus === 'blocking')
        .map(({ name }) => name),
    );
    assert.deepEqual(blocking, []);
    await browser.farewell({ context, ...visitor });
  });

  test(`${FLOOD} drifts that arrive live do not freeze the page`, async () => {
    const { page, ...person } = await browser.person('viewer');
    await visit(page, '#/drifts');
    await page.getByText('No drift yet').waitFor();
    await page.evaluate(() => {
      window.mostChanged = 0;
      window.arrived = 0;
      // Called once per task, with all changes of the task.
      new MutationObserver((changes) => {
        const nodes = changes.reduce((sum, { addedNodes, removedNodes }) => sum + addedNodes.length + removedNodes.length, 0);
        window.mostChanged = Math.max(window.mostChanged, nodes);
      }).observe(document.body, { childList: true, subtree: true });
    });
    await page.evaluate(async () => {
      const { onLive } = await import('./src/live.js');
      onLive('drift:created', (events) => (window.arrived += events.length));
    });
    const engineer = await app.api.login('engineer');
    const plan = await sample('fakeaws_2000/scan1.plan.json');
    for (const stack of ['one', 'two', 'three']) await engineer.ingest(plan, { stack });
    await eventually('all of them', async () => (await page.evaluate(() => window.arrived)) >= FLOOD, 60_000);
    await page
      .getByRole('link', { name: /^Drifts/ })
      .locator('.badge')
      .getByText('6,000')
      .waitFor();
    assert.ok((await rows(page).count()) >= 50);
    const mostChanged = await page.evaluate(() => window.mostChanged);
    // The time of a task depends on what else the machine does, its work does not. A list without bounds would
    // change more nodes than there are drifts.
    assert.ok(mostChanged < FLOOD / 2, `a task that changed ${mostChanged} nodes`);
    await browser.farewell(person);
  });

  test('the list loads more rows as the user scrolls', async () => {
    const { page, ...person } = await browser.person('viewer');
    await visit(page, '#/drifts');
    await rows(page).first().waitFor();
    for (const enough of [100, 150, 200]) {
      await eventually(`${enough} rows`, async () => {
        await page.locator('.list').evaluate((list) => (list.scrollTop = list.scrollHeight));
        return Number(await rows(page).last().getAttribute('aria-rowindex')) > enough;
      });
    }
    const ids = await rows(page).evaluateAll((all) => all.map(({ dataset }) => dataset.id));
    assert.equal(new Set(ids).size, ids.length, 'none twice');
    await browser.farewell(person);
  });
});
