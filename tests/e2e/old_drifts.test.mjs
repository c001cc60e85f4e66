// Lists of drifts, and decisions on them, in the old REST contract.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { succeeded } from '../lib/api.mjs';
import { StockClient } from '../lib/sockets.mjs';
import { OldPage, REASON, UNKNOWN_ID, deployments, fields, refused } from './old_page.mjs';

const ids = (items) => items.map(({ id }) => id);
const SEVERITIES = ['info', 'warning', 'critical'];

for (const [name, start] of deployments) {
  describe(`an old page, ${name}`, () => {
    let page;
    before(async () => (page = await OldPage.open(start)));
    after(() => page?.close());

    describe('lists of drifts', () => {
      test('anybody reads the first page without a token', async () => {
        const { items, pagination } = await page.list();
        assert.equal(items.length, 20);
        assert.deepEqual(pagination, { total: 20, page: 1, pageSize: 20, totalPages: 1, hasMore: false });
      });

      test('pages follow each other without gaps and repetitions', async () => {
        const pages = await Promise.all([1, 2, 3].map((number) => page.list(`page=${number}&limit=7&sortBy=createdAt`)));
        assert.deepEqual(pages.map(({ items }) => items.length), [7, 7, 6]);
        assert.deepEqual(pages.map(({ pagination }) => pagination.hasMore), [true, true, false]);
        assert.equal(new Set(pages.flatMap(({ items }) => ids(items))).size, 20);
      });

      test('pageSize is another name of limit', async () => {
        assert.deepEqual((await page.list('pageSize=3&page=2')).items, (await page.list('limit=3&page=2')).items);
      });

      test('all filters nothing', async () => {
        assert.equal((await page.list('severity=all&status=all')).pagination.total, 20);
      });

      test('a severity filters', async () => {
        const { items, pagination } = await page.list('severity=critical');
        assert.ok(items.length > 0 && items.every(({ severity }) => severity === 'critical'));
        assert.equal(pagination.total, items.length);
      });

      test('a status filters', async () => {
        const { items } = await page.list('status=detected');
        assert.ok(items.length > 0 && items.every(({ status }) => status === 'detected'));
      });

      test('no drift is triaged', async () => {
        assert.equal((await page.list('status=triaged')).pagination.total, 0);
      });

      test('a search finds parts of ids and types', async () => {
        const [{ resourceId }] = (await page.list('limit=1')).items;
        const found = (await page.list(`search=${encodeURIComponent(resourceId.slice(0, -1).toUpperCase())}`)).items;
        assert.ok(found.some((drift) => drift.resourceId === resourceId));
        assert.equal((await page.list('search=there+is+no+such+thing')).pagination.total, 0);
      });

      test('a list is sorted in both directions', async () => {
        const ranks = async (order) =>
          (await page.list(`sortBy=severity&sortOrder=${order}`)).items.map(({ severity }) => SEVERITIES.indexOf(severity));
        const ascending = await ranks('asc');
        assert.equal(new Set(ascending).size, 3);
        assert.deepEqual(ascending, [...ascending].sort());
        assert.deepEqual(await ranks('desc'), ascending.toReversed());
        const names = async (order) => (await page.list(`sortBy=resourceId&sortOrder=${order}`)).items.map(({ id }) => id);
        assert.deepEqual(await names('desc'), (await names('asc')).toReversed());
      });

      test('an unknown parameter is ignored, and a wrong one is named', async () => {
        assert.equal((await page.list('_=1764&view=table')).items.length, 20);
        assert.deepEqual(fields(refused(await page.api.get('/api/v1/drifts?page=0'), 400, 'VALIDATION_ERROR')), ['page']);
        assert.deepEqual(fields(refused(await page.api.get('/api/v1/drifts?sortBy=x'), 400, 'VALIDATION_ERROR')), ['sortBy']);
      });

      test('a list has no states and, without a token, no reasons', async () => {
        for (const drift of (await page.list('', page.engineer)).items) assert.ok(!('actualState' in drift));
        for (const drift of (await page.list()).items) assert.deepEqual([drift.approvalReason, drift.approvedBy], [null, null]);
      });
    });

    describe('a single drift', () => {
      test('an engineer sees its states and the values that differ', async () => {
        const [{ id }] = (await page.list('search=aws_instance')).items;
        const drift = await page.data(page.engineer, `/drifts/${id}`);
        const [[path, values]] = Object.entries(drift.difference);
        assert.equal(drift.expectedState[path], values.expected);
        assert.equal(drift.actualState[path], values.actual);
        assert.notDeepEqual(values.expected, values.actual);
      });

      test('a viewer sees no states, and the public no paths', async () => {
        const [{ id }] = (await page.list('search=aws_instance')).items;
        const [seen, open] = [await page.data(page.viewer, `/drifts/${id}`), await page.data(page.api, `/drifts/${id}`)];
        assert.deepEqual([seen.expectedState, seen.actualState, open.actualState], [null, null, null]);
        assert.ok(Object.values(seen.difference).every(({ expected, actual }) => expected === null && actual === null));
        assert.deepEqual(open.difference, {});
      });

      test('the fields for its buttons are there', async () => {
        const drift = await page.undecided();
        assert.deepEqual([drift.canApprove, drift.canReject, drift.alertCount >= 0], [true, true, true]);
      });

      test('an unknown id and a malformed one are not found', async () => {
        for (const id of [UNKNOWN_ID, '42', 'latest']) {
          refused(await page.engineer.get(`/api/v1/drifts/${id}`), 404, 'NOT_FOUND');
        }
      });
    });

    describe('decisions', () => {
      test('a viewer and a stranger decide nothing', async () => {
        const { id } = await page.undecided();
        for (const action of ['approve', 'reject']) {
          const path = `/api/v1/drifts/${id}/${action}`;
          refused(await page.viewer.post(path, { reason: REASON }), 403, 'FORBIDDEN');
          refused(await page.api.post(path, { reason: REASON }), 401, 'AUTH_ERROR');
        }
        assert.equal((await page.data(page.api, `/drifts/${id}`)).status, 'detected');
      });

      test('a short reason is refused', async () => {
        const { id } = await page.undecided();
        for (const action of ['approve', 'reject']) {
          const answer = await page.engineer.post(`/api/v1/drifts/${id}/${action}`, { reason: 'too short' });
          assert.deepEqual(fields(refused(answer, 400, 'VALIDATION_ERROR')), ['reason']);
        }
      });

      test('an engineer approves, and the sockets hear it', async () => {
        const { id } = await page.undecided();
        const client = await StockClient.authorized(page.app.socketOrigins[0], page.viewer.token);
        await client.ask('subscribe:drifts');
        const answer = await page.engineer.post(`/api/v1/drifts/${id}/approve`, { reason: REASON, notify: true });
        const drift = succeeded(answer).data;
        assert.deepEqual([drift.status, drift.approvalReason, drift.canApprove], ['approved', REASON, false]);
        assert.equal(drift.approvedBy, page.engineer.session.user.id);
        assert.equal((await client.event('drift:approved'))[0].id, id);
        client.close();
      });

      test('an admin rejects', async () => {
        const { id } = await page.undecided();
        const drift = succeeded(await page.admin.post(`/api/v1/drifts/${id}/reject`, { reason: REASON })).data;
        assert.deepEqual([drift.status, drift.rejectionReason], ['rejected', REASON]);
        assert.ok(Date.parse(drift.rejectedAt) > 0);
      });

      test('a decision is made once', async () => {
        const [{ id }] = (await page.list('status=approved&limit=1')).items;
        refused(await page.engineer.post(`/api/v1/drifts/${id}/approve`, { reason: REASON }), 409, 'INVALID_TRANSITION');
      });

      test('the timeline has the decision and its reason, for users only', async () => {
        const [{ id }] = (await page.list('status=approved&limit=1')).items;
        const { items, pagination } = await page.data(page.viewer, `/drifts/${id}/timeline`);
        assert.deepEqual(items.map(({ action }) => action), ['drift.approve', 'drift.create']);
        assert.deepEqual([items[0].details.reason, items[0].newValue.status], [REASON, 'approved']);
        assert.equal(pagination.total, 2);
        refused(await page.api.get(`/api/v1/drifts/${id}/timeline`), 401, 'AUTH_ERROR');
        refused(await page.viewer.get(`/api/v1/drifts/${UNKNOWN_ID}/timeline`), 404, 'NOT_FOUND');
      });
    });
  });
}
