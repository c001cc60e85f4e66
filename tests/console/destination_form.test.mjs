// The form of a destination in the console: its rules, its schedule, and the preview of its messages.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';

import { eventually } from '../lib/waiting.mjs';
import { visit } from './browser.mjs';
import { Post, openEditor, openList, row } from './destinations.mjs';

describe('the form of a destination', () => {
  let post;
  before(async () => {
    post = await Post.start();
  });
  after(() => post?.stop());
  beforeEach(() => post.begin());
  afterEach(() => post.end());

  test('rules and the schedule are edited and read in words', async () => {
    const destination = await post.create('slack', 'Chat', { rules: { events: ['drift:re*'] } });
    const { page, ...person } = await post.browser.person('admin', { timezoneId: 'Asia/Tokyo' });
    await openList(page);
    await row(page, 'Chat').getByText('drift:re*', { exact: true }).waitFor();
    await page.getByRole('link', { name: 'Edit: Chat' }).click();
    const drifts = page.getByRole('group', { name: 'Drifts' });
    await drifts.getByLabel('New drift').check();
    await page.getByRole('group', { name: 'Alerts' }).getByLabel('All, and future ones').check();
    assert.ok(await page.getByRole('group', { name: 'Alerts' }).getByLabel('New alert').isDisabled());
    assert.equal(await page.getByLabel('Further patterns').inputValue(), 'drift:re*');
    await page.getByLabel('Further patterns').fill('[broken');
    await page.getByLabel('Severity', { exact: true }).selectOption('critical');
    await page.getByLabel('Stacks').fill('prod-*\nnetwork');
    await page.getByLabel('Minutes between digests').fill('3');
    await page.getByLabel('Quiet hours').check();
    assert.equal(await page.getByLabel('Time zone').inputValue(), 'Asia/Tokyo', 'of the browser');
    await page.getByLabel('From').fill('23:30');
    await page.getByLabel('One message for each scan').check();
    await page.getByLabel('No message while').check();
    await page.getByRole('button', { name: 'Save' }).click();
    const errorAt = (name) => page.locator(`.field:has([name="${name}"]) .form-error`);
    await errorAt('rules.events').getByText('Further patterns must have patterns').waitFor();
    await page.getByLabel('Further patterns').fill('');
    await page.getByRole('button', { name: 'Save' }).click();
    await errorAt('schedule.digestMinutes').getByText('must be from 5 to 1440.').waitFor();
    await page.getByLabel('Minutes between digests').fill('30');
    await page.getByRole('button', { name: 'Save' }).click();
    await row(page, 'Chat')
      .getByText('drift:created and alert:* · critical · stacks prod-* and network')
      .waitFor();
    await row(page, 'Chat')
      .getByText(
        'a digest every 30 minutes · quiet from 23:30 to 07:00 (Asia/Tokyo), except critical · one message for each scan · no repeats',
      )
      .waitFor();
    const [saved] = await post.list();
    assert.deepEqual(saved.rules, {
      events: ['drift:created', 'alert:*'],
      minSeverity: 'critical',
      stacks: ['prod-*', 'network'],
      accounts: [],
    });
    assert.equal(saved.version, destination.version + 1);
    assert.deepEqual(saved.schedule.quietHours, {
      from: '23:30',
      to: '07:00',
      timeZone: 'Asia/Tokyo',
      exceptCritical: true,
    });
    await post.browser.farewell(person);
  });

  test('a template is previewed with a real event, and its error is shown at it', async () => {
    const destination = await post.create('slack', 'Chat');
    await post.scan('previewed');
    await eventually('the drifts', () => post.receiver.requests.length >= 20);
    const { page, ...person } = await post.browser.person('admin');
    await openEditor(page, destination);
    const preview = page.getByRole('region', { name: 'Preview of the message' });
    await preview.locator('.preview-title').waitFor();
    const drift = page.getByLabel('Preview with').locator('option', { hasText: 'drift in previewed' }).first();
    await page.getByLabel('Preview with').selectOption(await drift.getAttribute('value'));
    await preview.getByText('Open in DriftSentry').or(preview.getByText('Stack previewed')).first().waitFor();
    const text = page.getByLabel('Text');
    await text.fill('<!here> {{ stack }} has {{ severity }} & <b>bold</b>');
    await preview.getByText(/^<!here> previewed has (info|warning|critical) & <b>bold<\/b>$/).waitFor();
    await text.fill('{{ stack ');
    await page.getByText('The template is not valid').waitFor();
    assert.equal(await text.getAttribute('aria-invalid'), 'true');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.locator('.field:has([name="template"]) .form-error').getByText(/^The template is not valid/).waitFor();
    await text.fill('{{ stack }}!');
    await preview.getByText('previewed!', { exact: true }).waitFor();
    assert.equal(await text.getAttribute('aria-invalid'), null);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('link', { name: 'Edit: Chat' }).waitFor();
    assert.equal((await post.list())[0].template, '{{ stack }}!');
    assert.deepEqual(post.receiver.requests.filter(({ text }) => text.includes('!')), [], 'a preview sends nothing');

    await visit(page, '#/notifications/new');
    await page.getByLabel('Kind').selectOption('email');
    await preview.getByText('From').or(preview.locator('.preview-title')).first().waitFor();
    await page.getByLabel('Kind').selectOption('pagerduty');
    await preview.getByText('"dedup_key"').or(preview.getByText('gets no message about this event')).waitFor();
    assert.equal(await page.getByLabel('Text').isVisible(), false, 'a pager has no template');
    await page.getByLabel('Kind').selectOption('teams');
    await preview.locator('.preview-title').waitFor();
    assert.ok(await page.getByLabel('Text').isVisible());
    await post.browser.farewell(person);
  });

  test('each kind has its fields, and its errors are at them', async () => {
    const { page, ...person } = await post.browser.person('admin');
    await visit(page, '#/notifications/new');
    const kind = page.getByLabel('Kind');
    const create = () => page.getByRole('button', { name: 'Create destination' }).click();
    const errorAt = (name) => page.locator(`.field:has([name="${name}"]) .form-error`);
    await page.getByLabel('Name').fill('Pager');
    await kind.selectOption('Mail');
    await page.getByLabel('Recipients').fill('ann@example.com\nbob@example.com');
    await create();
    await errorAt('target.kind').getByText('Kind needs SMTP_URL, which is not set.').waitFor();
    await kind.selectOption('PagerDuty');
    await errorAt('target.kind').waitFor({ state: 'hidden' });
    await create();
    await errorAt('target.routingKey').getByText('Routing key is missing.').waitFor();
    await page.getByLabel('Routing key').fill('a b');
    await page.getByLabel('API address').fill(post.receiver.url);
    await create();
    await errorAt('target.routingKey').getByText('must have 1 to 500 characters of ASCII').waitFor();
    await page.getByLabel('Routing key').fill('secret-key');
    await create();
    await row(page, 'Pager').getByText('PagerDuty · 127.0.0.1').waitFor();
    await page.getByRole('button', { name: 'Test: Pager' }).click();
    await row(page, 'Pager').getByText('Test delivered').waitFor();
    assert.equal(post.receiver.requests[0].body.routing_key, 'secret-key');
    await openEditor(page, (await post.list())[0]);
    assert.ok(!(await page.content()).includes('secret-key'));
    assert.match(await page.title(), /Pager · Notifications · DriftSentry$/);
    await post.browser.farewell(person);
  });

  test('a change that somebody else made in between is not overwritten', async () => {
    const destination = await post.create('slack', 'Chat');
    const { page, ...person } = await post.browser.person('admin');
    await openEditor(page, destination);
    await page.getByLabel('Stacks').fill('mine');
    await post.change(destination, { name: 'Renamed' });
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Somebody else changed this destination after you opened it.').waitFor();
    assert.deepEqual((await post.list())[0].rules.stacks, []);
    await page.getByRole('button', { name: 'Load the current version' }).click();
    await page.getByRole('heading', { name: 'Edit Renamed' }).waitFor();
    await page.getByLabel('Stacks').fill('mine');
    await page.getByRole('button', { name: 'Save' }).click();
    await row(page, 'Renamed').getByText('stacks mine').waitFor();
    await post.browser.farewell(person);
  });
});
