// Takes the screenshots of the documents: node console/screenshots.mjs, in the folder tests, after a build. The data is
// made of the samples. `login`, `sign_up` and `reset_password` have no navigation, and are not taken here.

import { join } from 'node:path';

import { succeeded } from '../lib/api.mjs';
import { repository } from '../lib/process.mjs';
import { sample } from '../lib/samples.mjs';
import { eventually } from '../lib/waiting.mjs';
import { live, rows, visit } from './browser.mjs';
import { PASSWORD, Town } from './people.mjs';

const LIGHT = { viewport: { width: 1280, height: 760 }, colorScheme: 'light', reducedMotion: 'reduce' };
const DARK = { ...LIGHT, colorScheme: 'dark' };
const HOUR_MS = 3_600_000;
const ago = (hours) => new Date(Date.now() - hours * HOUR_MS).toISOString();

const town = await Town.start();
try {
  await scan(await town.app.api.login('engineer'));
  await decide(await town.app.api.login('engineer'));
  const grace = await invite();
  await takeDrifts();
  await takeAdmin(grace);
} finally {
  await town.stop();
}

/** Sends scans of several stacks over two weeks. */
async function scan(api) {
  const large = JSON.parse(await sample('fakeaws_2000/scan1.plan.json'));
  const small = JSON.parse(await sample('fakeaws_20/scan1.refresh_only.json'));
  const clean = { ...small, resource_drift: [] };
  const partial = { ...small, timestamp: ago(20), complete: false };
  const send = async (plan, stack, query = {}) => succeeded(await api.ingest(plan, { stack, ...query }));
  const scans = [
    [300, 'search/prod'],
    [228, 'orders/prod'],
    [156, 'billing/prod'],
    [108, 'edge/prod'],
    [50, 'mail/prod'],
    [3, 'web/prod'],
  ];
  for (const [at, [hours, stack]] of scans.entries()) {
    // Resources of one type are next to each other in the sample.
    const resources = large.resource_drift.filter((_, index) => index % 331 === at * 7);
    await send({ ...large, timestamp: ago(hours), resource_drift: resources }, stack, { complete: true });
  }
  await send({ ...small, timestamp: ago(26) }, 'network/prod', { complete: true });
  await send(partial, 'identity/prod', { complete: true });
  for (const [stack, hours] of [['data/prod', 30], ['network/staging', 9], ['payments/prod', 70]])
    await send({ ...clean, timestamp: ago(hours) }, stack, { complete: true });
  const about = {
    'payments/prod': { owner: 'Payments', labels: { env: 'prod' }, cadenceSeconds: 60 },
    'network/prod': { owner: 'Platform', labels: { env: 'prod' }, cadenceSeconds: 6 * 3600 },
    'identity/prod': { owner: 'Identity', labels: { env: 'prod' }, cadenceSeconds: 24 * 3600 },
    'web/prod': { owner: 'Web', labels: { env: 'prod', tier: '1' }, cadenceSeconds: 6 * 3600 },
    'data/prod': { owner: 'Data', labels: { env: 'prod' }, cadenceSeconds: 12 * 3600 },
    'network/staging': { owner: 'Platform', labels: { env: 'staging' }, cadenceSeconds: 12 * 3600 },
  };
  for (const [stack, change] of Object.entries(about))
    succeeded(await api.patch(`/api/v1/stacks/${encodeURIComponent(stack)}`, change));

  const policy = (action) =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: action,
          Principal: { AWS: 'arn:aws:iam::123456789012:role/ci' },
          Resource: ['arn:aws:s3:::artifacts', 'arn:aws:s3:::artifacts/*'],
          Condition: { Bool: { 'aws:SecureTransport': 'true' } },
        },
      ],
    });
  const state = (action, readers) => ({
    description: `Artifacts of the build, read by ${readers}`,
    policy: policy(action),
  });
  succeeded(
    await api.post('/api/v1/drifts', {
      stack: 'web/prod',
      address: 'aws_s3_bucket_policy.artifacts',
      resourceType: 'aws_s3_bucket_policy',
      resourceId: 'artifacts',
      region: 'eu-west-1',
      accountId: '123456789012',
      expectedState: state('s3:GetObject', 'the deployment only'),
      actualState: state('s3:*', 'everybody'),
    }),
  );
}

async function decide(api) {
  const drifts = await api.list('/api/v1/drifts');
  const of = (stack) => drifts.filter((drift) => drift.stack === stack).map(({ id }) => id);
  const send = async (action, ids, reason) =>
    succeeded(await api.post('/api/v1/drifts/bulk', { action, ids, reason }));
  await send('approve', of('orders/prod').slice(0, 3), 'planned migration');
  await send('reject', of('billing/prod').slice(0, 3), 'changed by hand in the console');
  await send('approve', of('network/prod').slice(0, 3), 'ticket OPS-412');
}

/** Creates invitations, and returns the id of the user who accepted one. */
async function invite() {
  const people = [
    ['alan@example.org', 'engineer', 'Alan Turing'],
    ['platform-team@example.org', 'viewer'],
    ['radia@example.org', 'engineer', 'Radia Perlman', 'accept'],
    ['donald@example.org', 'viewer', 'Donald Knuth', 'revoke'],
    ['grace@example.org', 'viewer', 'Grace Hopper', 'accept'],
  ];
  let last;
  for (const [email, role, name, then] of people) {
    const { data } = succeeded(await town.root.post('/api/auth/invitations', { email, role, ...(name && { name }) }));
    const { code } = await town.mailbox.next(email);
    if (then === 'revoke') succeeded(await town.root.delete(`/api/auth/invitations/${data.id}`));
    if (then !== 'accept') continue;
    const accepted = await town.app.api.post('/api/auth/invitations/accept', { email, code, name, password: PASSWORD });
    last = succeeded(accepted).data.user;
  }
  return last;
}

async function take(page, name) {
  await page.evaluate(() => document.fonts.ready);
  await page.evaluate(() => Promise.all(document.getAnimations().map(({ finished }) => finished.catch(() => {}))));
  await page.screenshot({ path: join(repository, `docs/screenshots/${name}.png`) });
}

async function takeDrifts() {
  const dark = await town.browser.person('engineer', DARK);
  // The person was here yesterday.
  await dark.page.evaluate((hour) => {
    const [[id]] = JSON.parse(localStorage.getItem('driftsentry.visits'));
    localStorage.setItem('driftsentry.visits', JSON.stringify([[id, { seen: Date.now() - 18 * hour }]]));
  }, HOUR_MS);
  await dark.page.reload();
  await live(dark.page);
  for (const part of ['.changes', '.chart', '.urgent', '.worst-stacks']) await dark.page.locator(part).waitFor();
  await take(dark.page, 'overview');
  await open(dark.page, 'aws_s3_bucket_policy.artifacts', '#/drifts');
  await take(dark.page, 'difference');

  const light = await town.browser.person('engineer', LIGHT);
  const { page } = light;
  await open(page, 'allocated_storage', '#/drifts?status=any&sort=-detectedAt');
  await take(page, 'drifts');
  await visit(page, '#/stacks');
  await page.locator('.stack-status[data-status="silent"]').waitFor({ timeout: 150_000 });
  await take(page, 'stacks');
  await town.browser.farewell(dark, light);
}

async function open(page, address, path) {
  await visit(page, path);
  await rows(page).filter({ hasText: address }).first().locator('.row-link').click();
  await page.locator('.history').waitFor();
  await page.mouse.move(0, 0);
}

async function takeAdmin(grace) {
  const person = await town.browser.visitor(LIGHT);
  await person.page.getByLabel('Email').fill(grace.email);
  await person.page.getByLabel('Password').fill(PASSWORD);
  await person.page.getByRole('button', { name: 'Log in', exact: true }).click();
  await live(person.page);
  await visit(person.page, '#/account');
  await person.page.getByLabel('Time zone').selectOption('Europe/Berlin');
  await person.page.locator('.session.is-current').waitFor();
  await take(person.page, 'account');

  const admin = await town.browser.person('admin', LIGHT);
  const { page } = admin;
  await visit(page, '#/admin/invitations');
  await page.getByText('platform-team@example.org').waitFor();
  await take(page, 'invitations');
  await visit(page, `#/admin/users/${grace.id}`);
  await page.locator('.session').first().waitFor();
  await page.locator('tbody tr').first().waitFor();
  await eventually('all names', async () => (await page.locator('.person', { hasText: '…' }).count()) === 0);
  await take(page, 'user');
  await visit(page, '#/admin/audit');
  await page.locator('tbody tr').nth(5).waitFor();
  await eventually('all names', async () => (await page.locator('.person', { hasText: '…' }).count()) === 0);
  await take(page, 'audit');
  await town.browser.farewell(person, admin);
}
