// The REST contract of the old stack, as a page of that stack uses it, with COMPAT_ROUTES=true. No request names a contract.

import assert from 'node:assert/strict';

import { succeeded } from '../lib/api.mjs';
import { allInOne, split } from '../lib/deployments.mjs';
import { sample } from '../lib/samples.mjs';
import { behindCaddy } from '../system/behind_caddy.mjs';

export const deployments = Object.entries({ 'all in one': allInOne, split, 'behind Caddy': behindCaddy });

export const REASON = 'reviewed in CHG-1042';
export const UNKNOWN_ID = '00000000-0000-4000-8000-00000000dead';

/** A page with 20 drifts, for a visitor (`api`) and for the three roles. */
export class OldPage {
  static async open(start) {
    const page = new OldPage();
    page.app = await start({ COMPAT_ROUTES: 'true' });
    page.api = page.app.api;
    for (const role of ['admin', 'engineer', 'viewer']) page[role] = await page.api.login(role);
    await page.engineer.ingest(await sample('fakeaws_20/scan1.plan.json'), { stack: 'old' });
    return page;
  }

  /** Returns the data of a response that must be a success. */
  async data(caller, path) {
    return succeeded(await caller.get(`/api/v1${path}`)).data;
  }

  list(query = '', caller = this.api) {
    return this.data(caller, `/drifts?${query}`);
  }

  async undecided() {
    return (await this.list('status=detected&limit=1')).items[0];
  }

  close() {
    return this.app.stop();
  }
}

/** Checks an error in the old form and returns it. */
export function refused(answer, status, code) {
  assert.deepEqual([answer.status, answer.success, answer.error?.code], [status, false, code], answer.text);
  assert.equal(answer.error.traceId, answer.headers.get('x-correlation-id'));
  assert.ok(Date.parse(answer.error.timestamp) > 0 && answer.error.message.length > 0);
  assert.equal(answer.error.requestId, undefined);
  return answer.error;
}

/** Returns the names of the fields that are wrong. */
export const fields = ({ details }) => details.errors.map(({ field }) => field);
