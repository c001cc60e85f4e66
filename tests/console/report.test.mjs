// The monthly report: its numbers, its months, and how it prints.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { succeeded } from '../lib/api.mjs';
import { allInOne } from '../lib/deployments.mjs';
import { sample } from '../lib/samples.mjs';
import { Browser, visit } from './browser.mjs';
import { DEVICES, inspect } from './inspect.mjs';

const LONG = `no one may shorten this: ${'a long reason '.repeat(30)}${'x'.repeat(200)} to the last word`;
/** A4 without the margins of the page, in pixels. */
const PAPER = { width: 680, height: 1009 };
const OPTIONS = { timezoneId: 'Europe/Berlin', reducedMotion: 'reduce' };

describe('the monthly report', () => {
  let app, browser, drifts, month;
  before(async () => {
    app = await allInOne();
    browser = await Browser.start(app.api.origins.auth);
    const engineer = await app.api.login('engineer');
    succeeded(await engineer.ingest(await sample('fakeaws_20/scan1.plan.json'), { stack: 'demo' }));
    drifts = await engineer.list('/api/v1/drifts');
    for (const { id } of drifts.slice(0, 15))
      succeeded(await engineer.post(`/api/v1/drifts/${id}/approve`, { reason: LONG }));
    succeeded(await engineer.post(`/api/v1/drifts/${drifts[15].id}/reject`, { reason: 'no' }));
    month = new Intl.DateTimeFormat('sv', { timeZone: 'Europe/Berlin' }).format(new Date()).slice(0, 7);
  });
  after(async () => {
    await browser?.stop();
    await app?.stop();
  });

  const figure = (page, name) =>
    page.locator('.report-numbers > div', { hasText: name }).locator('.figure').textContent();

  test('the overview leads to it, with numbers, people and months', async () => {
    const { page, ...viewer } = await browser.person('viewer', OPTIONS);
    await visit(page, '#/overview');
    await page.getByRole('link', { name: 'Monthly report' }).click();
    await page.locator('.report-numbers').waitFor();
    assert.equal(await page.getByRole('navigation').getByRole('link', { name: 'Report' }).count(), 1);
    assert.equal(await figure(page, 'Opened'), '20');
    assert.equal(await figure(page, 'Open now'), '4');
    const decided = page.getByRole('table', { name: 'Decided' }).getByRole('row', { name: 'Demo engineer' });
    assert.deepEqual(await decided.locator('.number').allTextContents(), ['15', '1']);
    const accepted = page.getByRole('table', { name: 'Accepted' });
    assert.equal(await accepted.locator('tbody tr').count(), 15);
    await accepted.getByRole('link', { name: drifts[0].address, exact: true }).waitFor();
    await page.getByRole('table', { name: 'Stacks' }).getByRole('link', { name: 'demo' }).waitFor();

    const name = new Intl.DateTimeFormat('en-GB', { month: 'long', year: 'numeric' }).format(
      new Date(`${month}-15`),
    );
    assert.match(await page.title(), new RegExp(`${name} · Monthly report · DriftSentry$`));
    assert.equal(await page.getByLabel('Month', { exact: true }).inputValue(), month);
    // A month in Berlin begins while the one before goes on in UTC.
    assert.match(await page.locator('.report-period').textContent(), /-01T00:00:00\+0[12]:00 to /);
    assert.equal(await page.getByRole('link', { name: 'Month after' }).count(), 0);
    await page.getByRole('link', { name: 'Month before' }).click();
    await page.getByText('Nobody decided in this month.').waitFor();
    assert.equal(await figure(page, 'Open at the end'), '0');
    assert.match(page.url(), /#\/report\?month=\d{4}-\d\d$/);
    await page.getByRole('link', { name: 'Month after' }).click();
    await accepted.waitFor();
    await page.getByLabel('Month', { exact: true }).fill('2020-02');
    await page.waitForURL(/month=2020-02$/);
    await page.locator('.report-period', { hasText: 'February 2020' }).waitFor();
    await visit(page, '#/report?month=soon');
    await page.getByText('Month: must be a month such as 2026-11.').waitFor();
    await browser.farewell(viewer);
  });

  test('on paper, nothing is cut, no row is split, and the head says what it is', async () => {
    const { page, ...engineer } = await browser.person('engineer', { ...OPTIONS, viewport: PAPER });
    await visit(page, `#/report?month=${month}`);
    await page.getByRole('table', { name: 'Accepted' }).waitFor();
    await page.emulateMedia({ media: 'print' });
    const head = await page.locator('.printed').innerText();
    assert.match(head, /^Printed \d+ \w+ \d{4}, \d\d:\d\d:\d\d \S+ \(\d{4}-\d\d-\d\dT[\d:]{8}\+0[12]:00\)/);
    assert.ok(head.includes(`from ${app.api.origins.auth}/`), head);
    for (const hidden of ['.nav', '.side', '.skip-link', '.view-actions'])
      assert.ok(await page.locator(hidden).first().isHidden(), hidden);
    const faults = await page.evaluate(() => {
      const page = document.documentElement;
      const cut = (element) => {
        const { overflowX, overflowY, textOverflow } = getComputedStyle(element);
        const { right } = element.getBoundingClientRect();
        const isClipped =
          (overflowX !== 'visible' && element.scrollWidth > element.clientWidth + 1) ||
          (overflowY !== 'visible' && element.scrollHeight > element.clientHeight + 1);
        return isClipped || textOverflow === 'ellipsis' || right > page.clientWidth + 1;
      };
      const elements = [...document.querySelectorAll('main, main *')];
      const seen = elements.filter((element) => element.checkVisibility() && !element.closest('.unseen, svg'));
      return {
        cut: seen.filter(cut).map((element) => element.outerHTML.slice(0, 80)),
        split: [...document.querySelectorAll('main tr')].filter(
          (row) => getComputedStyle(row).breakInside !== 'avoid',
        ).length,
        isTall: page.scrollHeight > innerHeight,
        heads: [...document.querySelectorAll('main thead')].map((one) => getComputedStyle(one).display),
        you: [...document.querySelectorAll('main td')].filter(({ textContent }) => textContent === 'you').length,
      };
    });
    assert.deepEqual(faults, {
      cut: [],
      split: 0,
      isTall: true,
      heads: ['table-header-group', 'table-header-group', 'table-header-group'],
      you: 0,
    });
    await page.getByText('to the last word').first().waitFor();
    const pdf = await page.pdf({ format: 'A4' });
    const pages = pdf.toString('latin1').match(/\/Type\s*\/Page\b/g).length;
    assert.ok(pages >= 2 && pages <= 8, `${pages} pages`);
    await browser.farewell(engineer);
  });

  for (const [device, options] of Object.entries(DEVICES)) {
    test(`axe finds no serious fault in the report, ${device}`, async () => {
      const { page, ...admin } = await browser.person('admin', options);
      await visit(page, '#/report');
      await page.getByRole('table', { name: 'Stacks' }).waitFor();
      await inspect(page, 'the report');
      await browser.farewell(admin);
    });
  }
});
