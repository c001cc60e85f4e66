// Costs in the console: nothing is said about them until one is known.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { succeeded } from '../lib/api.mjs';
import { allInOne } from '../lib/deployments.mjs';
import { repository } from '../lib/process.mjs';
import { eventually } from '../lib/waiting.mjs';
import { Browser, rows, visit } from './browser.mjs';

const file = (name) => readFile(join(repository, 'tests/samples/infracost', name), 'utf8');

describe('costs', () => {
  let app, api, browser, plan;
  before(async () => {
    app = await allInOne();
    browser = await Browser.start(app.api.origins.auth);
    api = await app.api.login('engineer');
    plan = JSON.parse(await file('plan.json'));
    succeeded(await api.ingest(plan, { stack: 'prod' }));
  });
  after(async () => {
    await browser?.stop();
    await app?.stop();
  });

  test('a cost is shown only once one is known, and unknown ones are called so', async () => {
    for (const role of ['engineer', 'viewer']) {
      const { page, ...person } = await browser.person(role, { viewport: { width: 1500, height: 820 } });
      await visit(page, '#/overview');
      await page.locator('.card-open').waitFor();
      assert.equal(await page.getByText('Cost of open drifts').count(), 0);
      await visit(page, '#/drifts');
      await rows(page).nth(4).waitFor();
      assert.equal(await page.getByRole('columnheader', { name: 'Cost / month' }).count(), 0);
      const options = page.getByLabel('Sort by').locator('option:not([hidden])');
      assert.ok(!(await options.allTextContents()).includes('Highest cost first'));
      // No column takes the place of another one.
      const edge = (name) =>
        page.getByRole('columnheader', { name }).evaluate((head) => head.getBoundingClientRect().left);
      assert.ok((await edge('Status')) < (await edge('Detected')));
      const [first] = await Promise.all([rows(page).first().boundingBox()]);
      assert.ok(first.height < 90, 'a row is one line of cells');
      await rows(page).first().locator('.row-link').click();
      await page.locator('.facts').waitFor();
      assert.equal(await page.locator('.facts dt', { hasText: 'Cost' }).count(), 0);
      await browser.farewell(person);
    }
  });

  test('with costs beside the plan, they appear without a reload', async () => {
    const { page, ...engineer } = await browser.person('engineer', { viewport: { width: 1500, height: 820 } });
    await visit(page, '#/drifts');
    await rows(page).nth(4).waitFor();
    plan.timestamp = '2026-11-20T10:00:00Z';
    plan.resource_drift[0].change.after.instance_type = 't3.xlarge';
    const costs = JSON.parse(await file('breakdown.json'));
    succeeded(await api.ingest({ plan, infracost: costs }, { stack: 'prod' }));
    await page.getByRole('columnheader', { name: 'Cost / month' }).waitFor();
    const cost = (address) => page.getByRole('row', { name: address }).locator('.cell-cost');
    await eventually(
      'the cost of the changed drift',
      async () => (await cost('aws_instance.web').textContent()) === '+53.14',
    );
    assert.equal(await cost('aws_lambda_function.mail').textContent(), 'unknown');
    await page.getByLabel('Sort by').selectOption('Highest cost first');
    await eventually('the dearest first', async () =>
      /aws_instance\.web/.test(await rows(page).first().textContent()),
    );
    const fact = () => page.locator('.facts div', { hasText: 'Cost' }).locator('dd').textContent();
    await rows(page).first().locator('.row-link').click();
    await page.locator('.facts').waitFor();
    assert.equal(await fact(), '+53.14 per month');
    await visit(page, '#/overview');
    await page.getByText('Cost of open drifts').waitFor();
    await browser.farewell(engineer);
  });
});
