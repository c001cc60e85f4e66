// Alerts in the console: groups per stack and scan, filters in the address, and the number of unread alerts.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { succeeded } from '../lib/api.mjs';
import { allInOne } from '../lib/deployments.mjs';
import { sample } from '../lib/samples.mjs';
import { eventually } from '../lib/waiting.mjs';
import { Browser, live, visit } from './browser.mjs';

describe('alerts in the console', () => {
  let app, api, browser;
  before(async () => {
    app = await allInOne();
    api = await app.api.login('engineer');
    await api.ingest(await sample('fakeaws_20/scan1.plan.json'), { stack: 'demo' });
    await api.ingest(await sample('fakeaws_1/plan.json'), { stack: 'prod-eu' });
    browser = await Browser.start(app.api.origins.auth);
  });
  after(async () => {
    await browser?.stop();
    await app?.stop();
  });

  test('alerts are grouped by stack and scan, live ones too', async () => {
    const { page, ...viewer } = await browser.person('viewer');
    await visit(page, '#/alerts');
    const groups = page.locator('.alert-group');
    await groups.nth(1).waitFor();
    const heads = () => page.locator('.alert-group > h2').allTextContents();
    assert.deepEqual(await heads(), ['prod-eu 1 alert', 'demo 13 alerts']);
    assert.equal(await page.locator('.alert-scan').count(), 2);
    assert.equal(await page.locator('.alert').count(), 14);

    await api.ingest(await sample('fakeaws_1/plan.json'), { stack: 'prod-us' });
    await eventually('a third stack', async () => (await heads())[0] === 'prod-us 1 alert');
    const body = { type: 'approval_needed', severity: 'info', title: 'Look <b>here</b>', message: 'by hand' };
    succeeded(await api.post('/api/v1/alerts', body));
    await eventually('an alert without a drift', async () => (await heads())[0] === 'Other alerts 1 alert');
    await page.getByText('Look <b>here</b>').waitFor();
    await page.getByRole('link', { name: 'demo', exact: true }).click();
    await page.waitForURL(/#\/drifts\?stack=demo/);
    await browser.farewell(viewer);
  });

  test('severity, type and read state are in the address', async () => {
    const { page, ...viewer } = await browser.person('viewer');
    await visit(page, '#/alerts');
    await page.locator('.alert').first().waitFor();
    await page.getByLabel('Severity').selectOption('info');
    await eventually('one alert', async () => (await page.locator('.alert').count()) === 1);
    await page.getByLabel('Type').selectOption('severity_escalated');
    await page.getByText('No alert matches these filters.').waitFor();
    await page.getByRole('button', { name: 'All', exact: true }).click();
    await page.waitForURL(/#\/alerts\?severity=info&type=severity_escalated&all=/);
    await page.reload();
    await live(page);
    await page.getByText('No alert matches these filters.').waitFor();
    assert.equal(await page.getByLabel('Severity').inputValue(), 'info');
    await page.getByLabel('Type').selectOption('');
    await page.getByText('Look <b>here</b>').waitFor();
    await browser.farewell(viewer);
  });

  test('the title and the icon of the tab have the number of unread alerts', async () => {
    const { page, ...viewer } = await browser.person('viewer');
    await visit(page, '#/alerts');
    const icon = () => page.locator('link[rel="icon"]').getAttribute('href');
    await eventually('the number', async () => (await page.title()) === '(16) Alerts · DriftSentry');
    assert.match(decodeURIComponent(await icon()), /^data:image\/svg\+xml,<svg.*>16<\/text>/);
    await page
      .getByRole('button', { name: /^Mark read/ })
      .first()
      .click();
    await eventually('one less', async () => (await page.title()) === '(15) Alerts · DriftSentry');
    await page.getByRole('button', { name: 'Mark all as read' }).click();
    await eventually('none', async () => (await page.title()) === 'Alerts · DriftSentry');
    assert.doesNotMatch(decodeURIComponent(await icon()), /<text/);
    await browser.farewell(viewer);
  });
});
