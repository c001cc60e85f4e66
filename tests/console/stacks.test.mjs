// Stacks in the console: the list, worst first, the page of one, and what engineers and admins change.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { succeeded } from '../lib/api.mjs';
import { allInOne } from '../lib/deployments.mjs';
import { sample } from '../lib/samples.mjs';
import { eventually } from '../lib/waiting.mjs';
import { Browser, rows, visit } from './browser.mjs';
import { DEVICES, inspect } from './inspect.mjs';

const CLEAN = 'team/web (eu)';
const RUN = { runUrl: 'https://ci.example.com/run/7?x=<b>', commit: 'abcdef0123456789' };

describe('stacks in the console', () => {
  let app, api, browser;
  before(async () => {
    app = await allInOne({ STACK_CHECK_INTERVAL: '500ms' });
    api = await app.api.login('engineer');
    browser = await Browser.start(app.api.origins.auth);
  });
  after(async () => {
    await browser?.stop();
    await app?.stop();
  });

  const send = async (file, query) =>
    succeeded(await api.ingest(await sample(file), { complete: true, ...query }));
  const row = (page, stack) => page.locator(`tr[data-stack="${stack}"]`);
  const names = (page) => page.locator('tr[data-stack] a[href^="#/stacks/"]').allTextContents();
  const open = async (page, stack) => {
    await visit(page, `#/stacks/${encodeURIComponent(stack)}`);
    await page.locator('.stack-head').getByRole('heading', { name: stack }).waitFor();
  };

  test('the list is worst first, says what is known, and follows the scans', async () => {
    const { page, ...engineer } = await browser.person('engineer');
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Stacks' }).click();
    await page.getByText('No stack yet').waitFor();
    await page.getByText('driftsentry ingest --stack prod').waitFor();
    assert.equal(await page.title(), 'Stacks · DriftSentry');

    await send('fakeaws_1/clean.refresh_only.json', { stack: CLEAN });
    await row(page, CLEAN).getByText('Clean', { exact: true }).waitFor();
    await send('fakeaws_20/scan1.refresh_only.json', { stack: 'prod', ...RUN });
    await send('edge/targeted.plan.json', { stack: 'lab' });
    await eventually('all of them', async () => (await names(page)).join() === `lab,prod,${CLEAN}`);
    const lab = row(page, 'lab');
    await lab.getByText('Blind').waitFor();
    await lab.getByText('The plan is targeted or otherwise partial').waitFor();
    await lab.getByText('No complete scan yet').waitFor();
    await row(page, CLEAN).getByText('Clean since').waitFor();
    await row(page, CLEAN).getByText('Complete scan').waitFor();
    await row(page, 'prod').getByText('Drifted').waitFor();
    await row(page, 'prod').getByText('Terraform, complete').waitFor();

    const { data } = await api.get('/api/v1/drifts?status=detected&severity=info&stack=prod');
    succeeded(await api.post(`/api/v1/drifts/${data[0].id}/approve`, { reason: 'ours' }));
    await row(page, 'prod').getByRole('link', { name: '1 approved in prod' }).waitFor();
    await row(page, 'prod').getByRole('link', { name: '13 open critical in prod' }).click();
    await rows(page).first().waitFor();
    assert.equal(await rows(page).count(), 13);
    await browser.farewell(engineer);
  });

  test('filters are in the address', async () => {
    succeeded(await api.patch('/api/v1/stacks/prod', { owner: 'Team A', labels: { env: 'prod' } }));
    const { page, ...viewer } = await browser.person('viewer');
    await visit(page, '#/stacks?status=clean');
    await eventually('the clean one', async () => (await names(page)).join() === CLEAN);
    await page.getByRole('button', { name: 'All', exact: true }).click();
    await page.getByLabel('Owner').fill('Team A');
    await page.waitForURL(/#\/stacks\?owner=Team/);
    await eventually('one', async () => (await names(page)).join() === 'prod');
    await row(page, 'prod').getByText('Team A · env=prod').waitFor();
    await page.getByLabel('Owner').fill('');
    await page.getByLabel('Label').pressSequentially('env=prod');
    await page.waitForURL(/#\/stacks\?label=env%3Dprod/);
    await page.getByLabel('Search stacks').fill('nothing');
    await page.getByText('No stack matches these filters.').waitFor();
    await page.getByRole('link', { name: 'Clear the filters' }).click();
    await eventually('all', async () => (await names(page)).length === 3);
    assert.equal(await page.getByLabel('Search stacks').inputValue(), '');
    await browser.farewell(viewer);
  });

  test('the page of a stack has its scans and its badge', async () => {
    const { page, context, ...viewer } = await browser.person('viewer');
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await visit(page, '#/stacks');
    await row(page, 'prod').getByRole('link', { name: 'prod', exact: true }).click();
    await page.locator('.stack-head').waitFor();
    assert.match(await page.title(), /prod · Stacks · DriftSentry$/);
    assert.equal(await page.getByRole('button', { name: 'Edit' }).count(), 0, 'for engineers');
    const scan = page.locator('tr[data-scan]');
    await scan.getByText('20 new').waitFor();
    await scan.getByText('Demo engineer').waitFor();
    await scan.getByText('abcdef012').waitFor();
    const run = scan.getByRole('link', { name: 'CI run' });
    assert.equal(await run.getAttribute('href'), RUN.runUrl);
    assert.equal(await run.getAttribute('rel'), 'noopener noreferrer');
    assert.equal(await run.getAttribute('target'), '_blank');

    await open(page, CLEAN);
    await eventually('the image', () =>
      page.getByAltText(`Badge of ${CLEAN}`).evaluate((image) => image.naturalWidth > 0),
    );
    await page.getByRole('button', { name: 'Copy the badge as Markdown' }).click();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    const [, badge, link] = /^\[!\[.*\]\((\S+)\)\]\(([^()\s]+)\)$/.exec(copied);
    assert.equal((await fetch(badge)).status, 200, 'without an account');
    await page.goto(link);
    await page.getByRole('heading', { name: CLEAN }).waitFor();

    await open(page, 'lab');
    await page.getByText('1 warning').click();
    await page.getByText('nothing is resolved').waitFor();
    await visit(page, '#/stacks/none%20of%20that');
    await page.getByText('Not found').waitFor();
    await browser.farewell({ context, ...viewer });
  });

  test('engineers set owner, labels and cadence, and admins delete', async () => {
    const { page, ...engineer } = await browser.person('engineer');
    await open(page, 'lab');
    assert.equal(await page.getByRole('button', { name: 'Delete stack' }).count(), 0, 'for admins');
    await page.getByRole('button', { name: 'Edit' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Owner').fill('<b>Lab</b>');
    await dialog.getByLabel('Labels').fill('tier');
    await dialog.getByLabel('A scan is expected every').fill('6');
    const save = dialog.getByRole('button', { name: 'Save' });
    await save.click();
    await dialog.getByText('"tier" is no label. Write it as key=value.').waitFor();
    await dialog.getByLabel('Labels').fill('tier=lab\nteam=a/b');
    await dialog.getByLabel('A scan is expected every').fill('900');
    await dialog.getByLabel('Unit').selectOption('days');
    await save.click();
    await dialog.getByText('from 1 minute to 366 days').waitFor();
    await dialog.getByLabel('A scan is expected every').fill('6');
    await dialog.getByLabel('Unit').selectOption('hours');
    await save.click();
    await page.getByText('every 6 h', { exact: true }).waitFor();
    await page.getByText('<b>Lab</b>').waitFor();
    await page.getByRole('link', { name: 'team=a/b' }).waitFor();
    await page.getByRole('button', { name: 'Edit' }).click();
    assert.equal(await dialog.getByLabel('Unit').inputValue(), 'hours');
    await dialog.getByLabel('Labels').fill('');
    await dialog.getByLabel('A scan is expected every').fill('');
    await save.click();
    await page.getByText('every 6 h', { exact: true }).waitFor({ state: 'detached' });
    const { data } = await api.get('/api/v1/stacks/lab');
    assert.deepEqual([data.owner, data.labels, data.isCadenceSet], ['<b>Lab</b>', {}, false]);
    await browser.farewell(engineer);

    const { page: theirs, ...admin } = await browser.person('admin');
    await open(theirs, 'prod');
    await theirs.getByRole('button', { name: 'Delete stack' }).click();
    await theirs.getByText('20 drifts of the stack that are open, approved or rejected become').waitFor();
    await theirs.getByRole('dialog').getByRole('button', { name: 'Delete stack' }).click();
    await theirs.waitForURL(/#\/stacks$/);
    // The last test waits until it is overdue.
    succeeded(await api.patch('/api/v1/stacks/lab', { cadenceSeconds: 60 }));
    await eventually('gone', async () => (await names(theirs)).join() === `lab,${CLEAN}`);
    assert.equal((await api.get('/api/v1/drifts?stack=prod&status=detected')).data.length, 0);
    await browser.farewell(admin);
  });

  for (const [device, options] of Object.entries(DEVICES)) {
    test(`axe finds no serious fault in the stacks, ${device}`, async () => {
      const { page, ...admin } = await browser.person('admin', options);
      await visit(page, '#/stacks');
      await row(page, 'lab').waitFor();
      await inspect(page, 'the list');
      await open(page, 'lab');
      await page.locator('tr[data-scan]').waitFor();
      await inspect(page, 'the page');
      await page.getByRole('button', { name: 'Edit' }).click();
      await page.getByRole('dialog').waitFor();
      await inspect(page, 'the form');
      await browser.farewell(admin);
    });
  }

  test('further stacks are loaded on demand, and live ones keep them', async () => {
    const clean = await sample('fakeaws_1/clean.refresh_only.json');
    for (let at = 0; at < 100; at += 1)
      succeeded(await api.ingest(clean, { stack: `many/${at}`, complete: true }));
    const { page, ...viewer } = await browser.person('viewer');
    await visit(page, '#/stacks');
    const size = () => page.locator('tr[data-stack]').count();
    await eventually('a page', async () => (await size()) === 100);
    await page.getByRole('button', { name: 'More' }).click();
    await eventually('all', async () => (await size()) === 102);
    assert.equal(await page.getByRole('button', { name: 'More' }).count(), 0);
    succeeded(await api.ingest(clean, { stack: 'many/more', complete: true }));
    await eventually('a live one', async () => (await size()) === 103);
    await browser.farewell(viewer);
  });

  test('a stack without a scan becomes silent, and its alert leads to it', async () => {
    const { page, ...viewer } = await browser.person('viewer');
    await visit(page, '#/stacks');
    await row(page, 'lab').waitFor();
    const isSilent = () => row(page, 'lab').getByText('Silent').isVisible();
    await eventually('silent', isSilent, 75_000);
    await row(page, 'lab').getByText('No scan since one was due').waitFor();
    await row(page, 'lab').getByText('every 1 min').waitFor();
    await visit(page, '#/alerts');
    await page.getByLabel('Type').selectOption({ label: 'No scan arrives' });
    const group = page.getByRole('region', { name: 'lab' });
    await group.getByRole('link', { name: 'No scan arrives: stack lab' }).click();
    await page.waitForURL(/#\/stacks\/lab$/);
    await page.locator('.stack-verdict', { hasText: 'No scan since one was due' }).waitFor();
    await browser.farewell(viewer);
  });
});
