// The page of the API reference, in one process and behind Caddy.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { Browser } from '../console/browser.mjs';
import { allInOne } from '../lib/deployments.mjs';
import { behindCaddy } from './behind_caddy.mjs';

for (const [where, start] of [
  ['in one process', allInOne],
  ['behind Caddy', behindCaddy],
]) {
  describe(`the API reference, ${where}`, () => {
    let app, browser;
    before(async () => {
      app = await start();
      browser = await Browser.start(`${app.api.origins.drift}/api/docs`);
    });
    after(async () => {
      await browser?.stop();
      await app?.stop();
    });

    test('every operation can be read and tried, without resources from other sites', async () => {
      const origin = app.api.origins.drift;
      const { paths } = await (await fetch(`${origin}/api/docs/openapi.json`)).json();
      const operations = Object.values(paths).flatMap(Object.keys);
      const visitor = await browser.visitor();
      const { page } = visitor;
      const elsewhere = [];
      page.on('request', (request) => {
        const url = new URL(request.url());
        if (url.protocol !== 'data:' && url.origin !== origin) elsewhere.push(request.url());
      });
      await page.reload();
      await page.locator('.opblock').nth(operations.length - 1).waitFor();
      assert.equal(await page.locator('.opblock').count(), operations.length);

      const { token } = await app.api.login('admin');
      await page.getByRole('button', { name: 'Authorize' }).first().click();
      await page.getByLabel('auth-bearer-value').fill(token);
      await page.locator('.modal-ux').getByRole('button', { name: 'Apply credentials' }).first().click();
      await page.locator('.modal-ux').getByRole('button', { name: 'Close' }).first().click();
      for (const path of ['/api/auth/me', '/api/v1/metrics/summary', '/api/realtime/stats']) {
        const exact = page.locator(`[data-path="${path}"]`);
        const operation = page.locator('.opblock-get').filter({ has: exact });
        await operation.locator('.opblock-summary-control').click();
        await operation.getByRole('button', { name: 'Try it out' }).click();
        await operation.getByRole('button', { name: 'Execute' }).click();
        const answer = operation.locator('.live-responses-table .response');
        assert.equal(await answer.locator('.response-col_status').innerText(), '200', path);
      }
      assert.deepEqual(elsewhere, []);
      await browser.farewell(visitor);
    });
  });
}
