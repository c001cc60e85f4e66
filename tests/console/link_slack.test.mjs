// A person in Slack becomes a user: the page shows who is linked, asks first, and keeps no code in the address.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { succeeded } from '../lib/api.mjs';
import { allInOne } from '../lib/deployments.mjs';
import { sample } from '../lib/samples.mjs';
import { Slack, buttons } from '../lib/slack.mjs';
import { eventually } from '../lib/waiting.mjs';
import { Browser, visit } from './browser.mjs';

const NAME = '<img src=x onerror=alert(1)> \u202eeve';

let app, browser, slack, requestUrl;

before(async () => {
  slack = await Slack.start();
  app = await allInOne({ ALLOW_PRIVATE_WEBHOOKS: 'true' });
  browser = await Browser.start(app.api.origins.auth);
  const [admin, engineer] = [await app.api.login('admin'), await app.api.login('engineer')];
  const destination = { name: 'Drifts of production', target: slack.target };
  const { data } = await admin.post('/api/v1/notifications/destinations', destination).then(succeeded);
  requestUrl = `${app.api.origins.drift}/api/v1/notifications/slack/${data.id}/interactions`;
  await engineer.ingest(await sample('fakeaws_20/scan1.plan.json'), { stack: 'demo' }).then(succeeded);
  await eventually('a message with buttons', () => slack.messages.some((message) => buttons(message).approve));
});

after(async () => {
  await browser?.stop();
  slack?.stop();
  await app?.stop();
});

test('a person links their Slack user, decides in Slack, and unlinks it', async () => {
  const { page, ...engineer } = await browser.person('engineer');
  const message = slack.messages.find((message) => buttons(message).approve);
  await slack.press(requestUrl, 'UANN', buttons(message).approve, NAME);
  const [, address] = (await slack.textTo('UANN', 0)).match(/<[^|>]+\/(#\/link-slack\?code=[\w-]+)\|/);
  await visit(page, address);
  const question = page.locator('.panel-first');
  await question.getByText('pressed a button on a message to Drifts of production').waitFor();
  assert.match(await question.textContent(), /The Slack user <img src=x onerror=alert\(1\)> eve \(UANN\)/);
  assert.equal(await page.evaluate(() => location.hash), '#/link-slack');
  await page.getByRole('button', { name: 'Link Slack user' }).click();
  await page.getByRole('heading', { name: 'Linked', exact: true }).waitFor();

  await slack.press(requestUrl, 'UANN', buttons(message).approve);
  await eventually('the decision', () => message.text.startsWith('Drift approved'));

  await page.getByRole('button', { name: /^Unlink/ }).click();
  await page.getByText('None. Press a button').waitFor();
  await visit(page, address);
  await page.getByRole('heading', { name: 'The address has expired' }).waitFor();
  await browser.farewell({ page, ...engineer });
});
