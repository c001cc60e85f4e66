// Rules in the console: a draft, its rehearsal, versions, undo, and "Ignore from here" at an attribute of a drift.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';

import { succeeded } from '../lib/api.mjs';
import { allInOne } from '../lib/deployments.mjs';
import { eventually } from '../lib/waiting.mjs';
import { Browser, visit } from './browser.mjs';
import { DEVICES, inspect } from './inspect.mjs';

const RULES = '/api/v1/drifts/rules';
const ALL = /^Would have silenced (\d+) of \1 in 30 days, never a deleted resource\.$/;

/** A plan in which the size and the tags of some resources differ, and one resource is gone. */
function plan(count) {
  const drift = (name, actions, after) => ({
    address: `aws_instance.${name}`,
    mode: 'managed',
    type: 'aws_instance',
    name,
    change: { actions, before: { id: name, size: 'small', tags: { team: 'a' } }, after },
  });
  const changed = Array.from({ length: count }, (_, at) =>
    drift(`web${at}`, ['update'], { id: `web${at}`, size: 'large', tags: { team: 'a' } }),
  );
  return {
    format_version: '1.2',
    terraform_version: '1.11.4',
    complete: true,
    errored: false,
    resource_drift: [...changed, drift('gone', ['delete'], null)],
  };
}

describe('rules in the console', () => {
  let app, browser, admin, engineer;
  before(async () => {
    app = await allInOne();
    browser = await Browser.start(app.api.origins.auth);
  });
  after(async () => {
    await browser?.stop();
    await app?.stop();
  });

  const version = async () => succeeded(await admin.get(RULES)).data.version;
  const save = async (rules, caller = admin) =>
    succeeded(await caller.put(RULES, { rules }, { 'if-match': `"v${await version()}"` })).data;
  const open = async (stack) => (await engineer.list('/api/v1/drifts')).filter(isOpenIn(stack)).length;
  const isOpenIn = (stack) => (drift) => drift.stack === stack && drift.status === 'detected';
  const send = async (stack) => succeeded(await engineer.ingest(plan(4), { stack, complete: true }));

  // Each test begins without rules, and with 5 open drifts in each of two stacks.
  beforeEach(async () => {
    // Each page of a person is a session, and a user has few of them.
    engineer = await app.api.login('engineer');
    admin = await app.api.login('admin');
    await save([]);
    await send('prod');
    await send('test');
  });

  const patterns = (page) =>
    page.locator('table[aria-label="Rules of the console"] tr[data-rule]').evaluateAll((rows) =>
      rows.map(({ dataset }) => dataset.rule),
    );
  const addRule = async (page, { name = 'ignore', pattern, stack = '' }) => {
    await page.getByRole('button', { name: 'Add rule' }).click();
    const dialog = page.getByRole('dialog', { name: 'Add rule' });
    await dialog.getByLabel('Class').selectOption(name);
    await dialog.getByLabel('Pattern').fill(pattern);
    await dialog.getByLabel('Stack').fill(stack);
    await dialog.getByRole('button', { name: 'Add', exact: true }).click();
    await dialog.waitFor({ state: 'detached' });
  };
  const openRules = async (page) => {
    await visit(page, '#/admin/rules');
    await page.getByRole('heading', { name: 'Rules of the console' }).waitFor();
  };

  test('a rule is written, rehearsed, saved, and undone', async () => {
    const { page, ...person } = await browser.person('admin');
    const other = await browser.person('admin');
    await openRules(page);
    await openRules(other.page);
    await page.getByText('No rules in the console').waitFor();
    await addRule(page, { pattern: 'aws_instance.*.size', stack: 'prod' });
    await page.getByRole('region', { name: 'Unsaved changes' }).getByText('Not saved yet').waitFor();
    assert.equal(await open('prod'), 5, 'a draft changes nothing');

    await page.getByRole('button', { name: 'Review and save' }).click();
    const review = page.getByRole('dialog', { name: 'Save these rules?' });
    await review.getByText('Would have silenced 4 of 10 in 30 days, never a deleted resource.').waitFor();
    await review.getByText('Saving resolves 4 drifts that are open, approved or rejected.').waitFor();
    await review.getByText('4 examples').click();
    await review.getByRole('link', { name: 'aws_instance.web3' }).waitFor();
    await review.getByLabel('Why?').fill('noise <b>of</b> autoscaling');
    await review.getByRole('button', { name: 'Save rules' }).click();
    await page.getByText('4 drifts resolved as ignored.').waitFor();
    assert.deepEqual([await open('prod'), await open('test')], [1, 5]);
    const first = await version();
    await page.getByText('"noise <b>of</b> autoscaling"').waitFor();
    // The other open page follows.
    await eventually('the rule', async () => (await patterns(other.page)).length === 1);

    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByText(`Undone: version ${first + 1} has the rules of version ${first - 1}.`).waitFor();
    await page.getByText('No rules in the console').waitFor();
    await send('prod');
    assert.equal(await open('prod'), 5, 'they are back with the next scan');
    await browser.farewell(person, other);
  });

  test('rules are edited, ordered and deleted, and the threshold is set, by keyboard alone', async () => {
    await save([
      { class: 'info', pattern: 'aws_instance.*.size' },
      { class: 'critical', pattern: 'aws_instance.web0' },
    ]);
    const { page, ...person } = await browser.person('admin');
    await openRules(page);
    const press = async (name) => {
      await page.getByRole('button', { name }).focus();
      await page.keyboard.press('Enter');
    };
    await press('Move down: info: aws_instance.*.size');
    await eventually(
      'the other order',
      async () => (await patterns(page))[0] === 'critical: aws_instance.web0',
    );
    // The focus stays in the row, though the button is drawn anew.
    assert.equal(
      await page.evaluate(() => document.activeElement.closest('tr')?.dataset.rule),
      'info: aws_instance.*.size',
    );
    await press('Edit: info: aws_instance.*.size');
    const dialog = page.getByRole('dialog', { name: 'Edit rule' });
    await dialog.getByLabel('Pattern').fill('aws_instance.web0');
    await dialog.getByLabel('Class').selectOption('critical');
    await dialog.getByLabel('Pattern').press('Enter');
    await dialog.getByText('The list has this rule already.').waitFor();
    await dialog.getByLabel('Class').selectOption('warning');
    await dialog.getByLabel('Pattern').press('Enter');
    await dialog.waitFor({ state: 'detached' });
    await press('Delete: warning: aws_instance.web0');
    await page.getByLabel('Alerts from severity').selectOption('info');
    await page.getByText('Alerts from: info.').waitFor();
    await press('Review and save');
    const review = page.getByRole('dialog', { name: 'Save these rules?' });
    await review.getByText('Would have silenced 0 of').waitFor();
    await review.getByText('alerts more.').waitFor();
    await review.getByLabel('Why?').press('Enter');
    await page.getByText(/Saved as version/).waitFor();
    const { data } = await admin.get(RULES);
    assert.deepEqual(
      [data.rules.map(({ rule }) => rule), data.alertThreshold],
      [['critical: aws_instance.web0'], 'info'],
    );
    await browser.farewell(person);
  });

  test('nobody saves over the rules of somebody else, and is told whose they are', async () => {
    const { page, ...person } = await browser.person('admin');
    await openRules(page);
    await addRule(page, { name: 'volatile', pattern: 'aws_instance.*.tags' });
    await page.getByRole('button', { name: 'Review and save' }).click();
    const review = page.getByRole('dialog', { name: 'Save these rules?' });
    await review.getByText('Matches no drift').or(review.getByText('Would have')).waitFor();
    await save([{ class: 'info', pattern: 'aws_other.*' }]);
    await review.getByRole('button', { name: 'Save rules' }).click();
    await review.getByText(`you saved version ${await version()} in between`).waitFor();
    await page.keyboard.press('Escape');
    assert.deepEqual(await patterns(page), ['volatile: aws_instance.*.tags'], 'the draft stays');
    await page.getByRole('button', { name: 'Discard' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Discard' }).click();
    await eventually('the others', async () => (await patterns(page)).join() === 'info: aws_other.*');
    await browser.farewell(person);
  });

  test('engineers see and rehearse the rules, and do not save them', async () => {
    await save([{ class: 'info', pattern: 'aws_other.*' }]);
    const { page, ...person } = await browser.person('engineer');
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Rules' }).click();
    await eventually('the rule', async () => (await patterns(page)).join() === 'info: aws_other.*');
    assert.equal(await page.title().then((title) => title.replace(/^\(\d+\) /, '')), 'Rules · DriftSentry');
    await addRule(page, { pattern: 'aws_instance.*' });
    await page.getByText('Only admins save rules.').waitFor();
    await page.getByRole('button', { name: 'Rehearse' }).click();
    const dialog = page.getByRole('dialog', { name: 'Rehearsal of 2 rules' });
    await dialog.getByText('2 deleted resources among them.').waitFor();
    await dialog.getByText('The rules would hide deletions').waitFor();
    await page.keyboard.press('Escape');
    assert.equal(await page.getByRole('button', { name: 'Restore' }).count(), 0);
    await visit(page, '#/admin/users');
    await page.getByText('Only admins can open this page.').waitFor();
    await browser.farewell(person);
    const viewer = await browser.person('viewer');
    await visit(viewer.page, '#/admin/rules');
    await viewer.page.getByText('Only admins can open this page.').waitFor();
    await browser.farewell(viewer);
  });

  test('a changed attribute is ignored from its drift, as narrowly or widely as wanted', async () => {
    const drifts = await engineer.list('/api/v1/drifts');
    const { id } = drifts.filter(isOpenIn('prod')).find(({ address }) => address === 'aws_instance.web1');
    const theirs = await browser.person('engineer');
    await visit(theirs.page, `#/drifts/${id}`);
    await theirs.page
      .getByRole('button', { name: 'Ignore size from here. Only admins save rules.' })
      .press('Enter');
    await theirs.page.locator('.notice').getByText('Only admins save rules.').waitFor();
    await browser.farewell(theirs);

    const { page, ...person } = await browser.person('admin');
    await visit(page, `#/drifts/${id}`);
    await page.getByRole('button', { name: 'Ignore size from here' }).click();
    const dialog = page.getByRole('dialog', { name: 'Ignore size from here' });
    await dialog.getByText('ignore: aws_instance.web1.size stack=prod').waitFor();
    await dialog.getByText(ALL).waitFor();
    await dialog.getByLabel('Each aws_instance, everywhere').check();
    await dialog.getByText('ignore: aws_instance.*.size', { exact: true }).waitFor();
    await dialog.getByText(ALL).waitFor();
    await dialog.getByLabel('Each aws_instance of prod').check();
    await dialog.getByText(ALL).waitFor();
    await dialog.getByRole('button', { name: 'Save rule' }).click();
    await page.locator('.outcome').getByText('A rule ignores the drift.').waitFor();
    assert.deepEqual([await open('prod'), await open('test')], [1, 5]);
    await page.locator('.notice').getByRole('button', { name: 'Undo' }).click();
    await page.getByText('Drifts that the rules had hidden come back with the next scan').waitFor();
    assert.deepEqual(succeeded(await admin.get(RULES)).data.rules, []);
    await browser.farewell(person);
  });

  test('an earlier version is restored, and the audit log leads to the rules', async () => {
    const { version: kept } = await save([{ class: 'info', pattern: 'aws_instance.*.size' }]);
    await save([{ class: 'critical', pattern: 'aws_instance.*.size' }]);
    const { page, ...person } = await browser.person('admin');
    await openRules(page);
    const row = page.locator(`tr[data-version="${kept}"]`);
    await row.getByText('info: aws_instance.*.size').waitFor();
    await row.getByRole('button', { name: `Restore version ${kept}` }).click();
    const dialog = page.getByRole('dialog', { name: `Restore version ${kept}?` });
    await dialog.getByText(/^\d+ drifts would be less severe\.$/).waitFor();
    await dialog.getByRole('button', { name: 'Restore', exact: true }).click();
    await page.locator(`tr[data-version="${kept + 2}"]`).getByText(`Restores version ${kept}.`).waitFor();

    await visit(page, '#/admin/audit?action=rules.restore');
    const entry = page.getByRole('row', { name: /Rules restored/ }).first();
    await entry.getByText(`v${kept + 1} → v${kept + 2}`).waitFor();
    await entry.getByRole('link', { name: 'rules', exact: true }).click();
    await page.getByRole('heading', { name: 'Rules of the console' }).waitFor();
    await browser.farewell(person);
  });

  for (const [device, options] of Object.entries(DEVICES)) {
    test(`axe finds no serious fault in the rules, ${device}`, async () => {
      await save([
        { class: 'ignore', pattern: 'aws_instance.web0.tags.a_rather_long_name_of_a_tag', stack: 'prod/*', note: 'x' },
        { class: 'critical', pattern: 'aws_instance.web2' },
      ]);
      const { page, ...person } = await browser.person('admin', options);
      await openRules(page);
      await inspect(page, 'the rules');
      await page.getByRole('button', { name: /^Delete: critical/ }).click();
      await page.getByRole('region', { name: 'Unsaved changes' }).waitFor();
      await inspect(page, 'a draft');
      await page.getByRole('button', { name: 'Add rule' }).click();
      await page.getByRole('dialog', { name: 'Add rule' }).waitFor();
      await inspect(page, 'the form');
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Review and save' }).click();
      await page.getByRole('dialog').getByText('would be less severe').waitFor();
      await inspect(page, 'the review');
      await page.keyboard.press('Escape');
      const { id } = (await engineer.list('/api/v1/drifts'))
        .filter(isOpenIn('test'))
        .find(({ address }) => address === 'aws_instance.web1');
      await visit(page, `#/drifts/${id}`);
      const button = page.getByRole('button', { name: 'Ignore size from here' });
      await button.click();
      await page.getByRole('dialog').getByText('Would have silenced').waitFor();
      await inspect(page, 'the ignore dialog');
      await browser.farewell(person);
    });
  }
});
