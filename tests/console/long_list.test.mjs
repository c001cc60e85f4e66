// The list with 20,000 drifts: no task of the page takes long while it is read, scrolled and changed live.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { succeeded } from '../lib/api.mjs';
import { allInOne } from '../lib/deployments.mjs';
import { planOf } from '../lib/plans.mjs';
import { eventually } from '../lib/waiting.mjs';
import { Browser, rows, visit } from './browser.mjs';

const STACKS = ['one', 'two', 'three', 'four'];
const PER_STACK = 5_000;
const TOTAL = STACKS.length * PER_STACK;
const LONGEST_TASK_MS = 100;
/** The rows in the document at any time, however many are loaded. */
const MOST_ROWS = 250;

describe(`a list of ${TOTAL} drifts`, () => {
  let app, api, browser;
  before(async () => {
    app = await allInOne({ RUST_LOG: 'warn' });
    api = await app.api.login('engineer');
    for (const stack of STACKS) succeeded(await api.ingest(planOf(PER_STACK), { stack }));
    browser = await Browser.start(app.api.origins.auth);
  });
  after(async () => {
    await browser?.stop();
    await app?.stop();
  });

  const numberOf = (row) => row.getAttribute('aria-rowindex').then(Number);
  const lastNumber = (page) => numberOf(rows(page).last());

  /** Scrolls to the end of the list for some frames, as a person who drags the scroll bar down. */
  const scrollDown = (page) =>
    page.evaluate(async () => {
      const list = document.querySelector('.list');
      for (let frame = 0; frame < 20; frame += 1) {
        list.scrollTop = list.scrollHeight;
        await new Promise(requestAnimationFrame);
      }
    });

  test('no task takes over 100 ms, with all drifts loaded, while hundreds change live', async () => {
    const { page, ...engineer } = await browser.person('engineer');
    await visit(page, '#/drifts?sort=-detectedAt');
    await eventually('the first page', async () => (await rows(page).count()) === 50);
    await browser.program.startTracing(page, { categories: ['toplevel'] });

    await eventually(
      'all drifts',
      async () => {
        await scrollDown(page);
        assert.ok((await rows(page).count()) <= MOST_ROWS);
        return (await lastNumber(page)) === TOTAL + 1;
      },
      400_000,
    );
    assert.equal(await page.getByRole('table').getAttribute('aria-rowcount'), String(TOTAL + 1));
    await page.getByText('All 20,000 drifts shown.').waitFor();

    // Open drifts change in place: their rows are updated, near the visible part and far from it.
    await page.evaluate(async () => {
      const { onLive } = await import('./src/live.js');
      window.changed = 0;
      onLive('drift:updated', (events) => (window.changed += events.length));
    });
    const plan = planOf(PER_STACK, { version: 2, changed: 800, at: new Date(Date.now() + 1000) });
    assert.equal(succeeded(await api.ingest(plan, { stack: 'four' })).data.changed, 800);
    await eventually('the changes', async () => (await page.evaluate(() => window.changed)) === 800);
    for (const share of [0.9, 0.1, 0.5, 0]) {
      await page.locator('.list').evaluate((list, to) => (list.scrollTop = to * list.scrollHeight), share);
      await eventually('rows in the middle of the list', () => isFilled(page));
    }

    await page.evaluate(spin);
    const tasks = mainThread(await browser.program.stopTracing());
    const probe = tasks.shift();
    assert.ok(probe > LONGEST_TASK_MS, `the trace has the work that the test added, ${probe} ms`);
    assert.ok(tasks.length > 1000, `${tasks.length} tasks`);
    assert.ok(tasks[0] <= LONGEST_TASK_MS, `the longest tasks: ${tasks.slice(0, 5).join(', ')} ms`);
    await browser.farewell(engineer);
  });

  test('keys, selection and the numbers for screen readers work across rows that are not in the document', async () => {
    const { page, ...engineer } = await browser.person('engineer');
    await visit(page, '#/drifts?sort=-detectedAt');
    await rows(page).first().waitFor();
    await eventually('many rows', async () => {
      await scrollDown(page);
      return (await lastNumber(page)) > 600;
    });
    await page.getByLabel('Select all shown drifts').check();
    const selected = parseInt((await page.getByText(/^[\d,]+ drifts selected$/).textContent()).replace(',', ''), 10);
    assert.ok(selected >= 600, 'with those that are not in the document');
    await page.locator('.list').evaluate((list) => (list.scrollTop = 0));
    await eventually('the first row again', async () => (await numberOf(rows(page).first())) === 2);
    const first = rows(page).first();
    assert.ok(await first.getByRole('checkbox').isChecked(), 'still selected');
    await first.getByRole('checkbox').uncheck();
    await page.getByText(`${(selected - 1).toLocaleString('en')} drifts selected`).waitFor();

    // j walks through rows that were not in the document before.
    await first.locator('.row-link').focus();
    for (let step = 0; step < 60; step += 1) await page.keyboard.press('j');
    const focused = page.locator('tr[data-id]:focus-within');
    assert.equal(await numberOf(focused), 62);
    await page.keyboard.press('x');
    await page.getByText(`${(selected - 2).toLocaleString('en')} drifts selected`).waitFor();

    // Paper has the first rows, and says what it leaves out.
    const pdf = await page.evaluate(() => {
      dispatchEvent(new Event('beforeprint'));
      const shown = document.querySelectorAll('tr[data-id]').length;
      const note = document.querySelector('.only-printed').textContent;
      dispatchEvent(new Event('afterprint'));
      return { shown, note };
    });
    assert.ok(pdf.shown >= Math.min(selected, 1000), `${pdf.shown} rows on paper`);
    assert.match(pdf.note, /^The first [\d,]+ of 20,000 drifts\. An export has all of them\.$/);
    await browser.farewell(engineer);
  });
});

/** True if rows cover the visible part of the list. */
const isFilled = (page) =>
  page.locator('.list').evaluate((list) => {
    const { top, bottom, left, width } = list.getBoundingClientRect();
    return [0.2, 0.5, 0.9].every((share) =>
      document.elementFromPoint(left + width / 2, top + share * (bottom - top))?.closest('tr[data-id]'),
    );
  });

/** Takes more CPU time than a task may. */
function spin() {
  let sum = 0;
  for (let step = 0; step < 1e9; step += 1) sum += step % 7;
  return sum;
}

/**
 * Returns the CPU time of the tasks of the page's main thread in milliseconds, longest first.
 *
 * The test does not use the entries `longtask` of the PerformanceObserver: their length is by the clock, and contains the
 * time in which other programs have the CPU. On a machine with ten busy programs per core, a task of 20 ms is 300 ms long.
 * The trace has the time that the thread itself was running.
 */
function mainThread(trace) {
  const { traceEvents } = JSON.parse(trace.toString());
  const isMain = ({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain';
  const threads = new Set(traceEvents.filter(isMain).map(({ pid, tid }) => `${pid}:${tid}`));
  return traceEvents
    .filter(({ ph, name, pid, tid, tdur }) => ph === 'X' && tdur && /RunTask/.test(name) && threads.has(`${pid}:${tid}`))
    .map(({ tdur }) => Math.round(tdur / 1000))
    .sort((one, other) => other - one);
}
