// The values of a difference: structure, marked words, folded parts, the table of many changes, reasons, copies.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { succeeded } from '../lib/api.mjs';
import { allInOne } from '../lib/deployments.mjs';
import { Browser, visit } from './browser.mjs';
import { DEVICES, inspect } from './inspect.mjs';

const policy = (action, extra = []) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      ...extra,
      {
        Sid: 'read',
        Effect: 'Allow',
        Action: action,
        Resource: 'arn:aws:s3:::logs',
        Principal: { AWS: '111111111111' },
      },
    ],
  });
const yaml = (replicas) =>
  [
    '# chart',
    'image:',
    '  tag: v1',
    ...Array.from({ length: 30 }, (_, at) => `key${at}: ${at}`),
    `replicas: ${replicas}`,
  ].join('\n');
const long = (word) => `${'a '.repeat(300)}${word}${' b'.repeat(300)}`;

describe('the values of a difference', () => {
  let app, api, browser;
  before(async () => {
    app = await allInOne();
    api = await app.api.login('engineer');
    browser = await Browser.start(app.api.origins.auth);
  });
  after(async () => {
    await browser?.stop();
    await app?.stop();
  });

  /** Reports a drift and returns its id. */
  const report = async (resourceId, expectedState, actualState) => {
    const body = { stack: 'demo', resourceType: 'aws_s3_bucket', resourceId, expectedState, actualState };
    return succeeded(await api.post('/api/v1/drifts', body)).data.id;
  };
  const signs = (lines, sign) => lines.locator(`.change-line[data-sign="${sign}"] code`).allTextContents();

  test('JSON and YAML texts are structure in which only the changes are marked, and the reason is at the path', async () => {
    const id = await report(
      'one',
      {
        policy: policy('s3:GetObject'),
        values: yaml(2),
        motto: long('before'),
        name: '<img src=x onerror=alert(1)>',
      },
      { policy: policy('s3:*'), values: yaml(3), motto: long('after'), name: '<b>x</b>' },
    );
    const { page, ...engineer } = await browser.person('engineer', {
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    await visit(page, `#/drifts/${id}`);
    const change = (label) => page.locator('.change', { has: page.locator('h4 > code', { hasText: label }) });
    await change('policy').waitFor();

    assert.deepEqual(await signs(change('policy'), '−'), ['      "Action": "s3:GetObject"']);
    assert.deepEqual(await signs(change('policy'), '+'), ['      "Action": "s3:*"']);
    assert.deepEqual(await change('policy').locator('mark').allTextContents(), ['GetObject', '*']);
    assert.deepEqual(await signs(change('values'), '+'), ['replicas: 3']);
    assert.equal(await change('values').locator('.change-line').count(), 5, 'three lines around the change');
    await change('values').getByRole('button', { name: 'Show all of values' }).click();
    assert.equal(await change('values').locator('.change-line').count(), 35);
    assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Show less of values');

    assert.deepEqual(await change('motto').locator('mark').allTextContents(), ['before', 'after']);
    assert.ok((await change('motto').locator('code').last().textContent()).length < 400, 'folded');
    await change('motto').getByRole('button', { name: 'Show all of motto' }).click();
    assert.ok((await change('motto').locator('code').last().textContent()).length > 1200);
    assert.equal(await page.locator('.change img, .change b').count(), 0, 'a value is never markup');

    // Why the drift is as severe as it is: beside the severity, and at the path.
    const { severity, severityReason, difference } = (await api.get(`/api/v1/drifts/${id}`)).data;
    assert.equal(severity, 'critical');
    assert.equal(await page.locator('.detail-severity').textContent(), `critical: ${severityReason}`);
    const { reason } = difference.find((path) => path.class === 'critical');
    await change('policy').locator('.causes').getByText(reason).waitFor();

    for (const [button, copied] of [
      ['Copy the path policy', 'policy'],
      ['Copy the actual value of policy', policy('s3:*')],
      ['Copy the expected value of values', yaml(2)],
    ]) {
      await page.getByRole('button', { name: button }).click();
      await page.getByText('Copied.').last().waitFor();
      assert.equal(await page.evaluate(() => navigator.clipboard.readText()), copied);
    }
    await browser.farewell(engineer);
  });

  test('a new item of a list is the only change, and the order of keys is none', async () => {
    const extra = { Sid: 'extra', Effect: 'Deny', Action: 's3:PutObject', Resource: '*', Principal: '*' };
    const reordered = JSON.stringify(JSON.parse(policy('s3:GetObject', [extra])), [
      'Statement',
      'Sid',
      'Resource',
      'Principal',
      'AWS',
      'Effect',
      'Action',
      'Version',
    ]);
    const id = await report('two', { policy: policy('s3:GetObject') }, { policy: reordered });
    const both = await report(
      'three',
      { policy: policy('s3:GetObject') },
      { policy: policy('s3:*', [extra]) },
    );
    const { page, ...engineer } = await browser.person('engineer');
    await visit(page, `#/drifts/${id}`);
    await page.locator('.change').waitFor();
    assert.deepEqual(await signs(page, '−'), []);
    const added = (await signs(page, '+')).map((line) => line.trim());
    assert.ok(added.includes('"Sid": "extra"') && !added.some((line) => line.includes('read')), added.join());
    // An item that changed is compared with the most similar one, wherever the new one stands.
    await visit(page, `#/drifts/${both}`);
    await page.getByRole('heading', { name: 'three' }).waitFor();
    await page.locator('.change').waitFor();
    assert.deepEqual(await signs(page, '−'), ['      "Action": "s3:GetObject"']);
    await browser.farewell(engineer);
  });

  test('five changes are a table, and eight have links to them', async () => {
    const state = (count, value) =>
      Object.fromEntries(Array.from({ length: count }, (_, at) => [`name_${at}`, `${value} ${at}`]));
    const five = await report('five', state(5, 'the old'), state(5, 'the new'));
    const nine = await report(
      'nine',
      { ...state(8, 'the old'), policy: policy('s3:GetObject') },
      { ...state(8, 'the new'), policy: policy('s3:*') },
    );
    for (const device of Object.values(DEVICES)) {
      const { page, ...engineer } = await browser.person('engineer', device);
      await visit(page, `#/drifts/${five}`);
      await page.locator('.diff-table tbody tr').nth(4).waitFor();
      assert.equal(await page.locator('.jumps').count(), 0);
      const cells = page.getByRole('row', { name: /name_2/ }).getByRole('cell');
      assert.deepEqual(await cells.locator('code').allTextContents(), ['the old 2', 'the new 2']);
      assert.deepEqual(await cells.locator('mark').allTextContents(), ['old', 'new']);

      await visit(page, `#/drifts/${nine}`);
      const links = page.getByRole('navigation', { name: 'Changed attributes' });
      await links.getByRole('link', { name: 'policy' }).click();
      const focused = page.locator('.diff-table tr:focus');
      await focused.getByText('Action').first().waitFor();
      assert.ok(page.url().endsWith(`#/drifts/${nine}`), 'the link stays at the drift');
      await inspect(page, 'a table of changes');
      await browser.farewell(engineer);
    }
  });
});
