// The REST flows of pages that were written for the old stack, with COMPAT_ROUTES=true. Nothing here names a contract.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { succeeded } from '../lib/api.mjs';
import { allInOne, split } from '../lib/deployments.mjs';
import { sample } from '../lib/samples.mjs';
import { StockClient } from '../lib/sockets.mjs';
import { behindCaddy } from '../system/behind_caddy.mjs';

const REASON = 'reviewed in CHG-1042';
const UNKNOWN_ID = '00000000-0000-4000-8000-00000000dead';

const ids = (items) => items.map(({ id }) => id);
const sorted = (values) => [...values].sort((a, b) => a - b);

for (const [name, start] of Object.entries({ 'all in one': allInOne, split, 'behind Caddy': behindCaddy })) {
  describe(`an old page, ${name}`, () => {
    let app, api, admin, engineer, viewer;

    before(async () => {
      app = await start({ COMPAT_ROUTES: 'true' });
      ({ api } = app);
      [admin, engineer, viewer] = await Promise.all(['admin', 'engineer', 'viewer'].map((role) => api.login(role)));
      await engineer.ingest(await sample('fakeaws_20/scan1.plan.json'), { stack: 'old' });
    });
    after(() => app?.stop());

    /** Returns the data of a response that must be a success. */
    const data = async (caller, path) => succeeded(await caller.get(`/api/v1${path}`)).data;
    const list = (query = '', caller = api) => data(caller, `/drifts?${query}`);
    const undecided = async () => (await list('status=detected&limit=1')).items[0];

    /** Checks an error in the old form and returns it. */
    function refused(answer, status, code) {
      assert.deepEqual([answer.status, answer.success, answer.error?.code], [status, false, code], answer.text);
      assert.equal(answer.error.traceId, answer.headers.get('x-correlation-id'));
      assert.ok(Date.parse(answer.error.timestamp) > 0 && answer.error.message.length > 0);
      assert.equal(answer.error.requestId, undefined);
      return answer.error;
    }
    const fields = ({ details }) => details.errors.map(({ field }) => field);

    describe('sessions', () => {
      test('logging in returns tokens and the user, whatever else the page sends', async () => {
        const body = { email: 'viewer@driftsentry.local', password: 'viewer123', rememberMe: true };
        const { data: session } = succeeded(await api.post('/api/v1/auth/login', body));
        assert.equal(session.user.role, 'viewer');
        assert.ok(session.accessToken && session.refreshToken);
      });

      test('a wrong password is refused in the old form', async () => {
        const body = { email: 'viewer@driftsentry.local', password: 'not the password' };
        refused(await api.post('/api/v1/auth/login', body), 401, 'AUTH_ERROR');
      });

      test('a login without a password names the field', async () => {
        const answer = await api.post('/api/v1/auth/login', { email: 'viewer@driftsentry.local' });
        assert.deepEqual(fields(refused(answer, 400, 'VALIDATION_ERROR')), ['password']);
      });

      test('a refresh token becomes an access token', async () => {
        const { session } = await api.login('viewer');
        const body = { refreshToken: session.refreshToken, client: 'page' };
        const { data: refreshed } = succeeded(await api.post('/api/v1/auth/refresh', body));
        assert.equal((await data(api.withToken(refreshed.accessToken), '/users/me')).role, 'viewer');
      });

      test('an unknown refresh token is refused', async () => {
        refused(await api.post('/api/v1/auth/refresh', { refreshToken: 'unknown' }), 401, 'AUTH_ERROR');
      });

      test('logging out ends the session', async () => {
        const { session } = await api.login('viewer');
        const body = { refreshToken: session.refreshToken };
        succeeded(await api.post('/api/v1/auth/logout', body));
        refused(await api.post('/api/v1/auth/refresh', body), 401, 'AUTH_ERROR');
      });

      test('logging out with an unknown token is a success', async () => {
        assert.equal((await api.post('/api/v1/auth/logout', { refreshToken: 'unknown' })).status, 200);
      });
    });

    describe('lists of drifts', () => {
      test('anybody reads the first page without a token', async () => {
        const { items, pagination } = await list();
        assert.equal(items.length, 20);
        assert.deepEqual(pagination, { total: 20, page: 1, pageSize: 20, totalPages: 1, hasMore: false });
      });

      test('pages follow each other without gaps and repetitions', async () => {
        const pages = await Promise.all([1, 2, 3].map((page) => list(`page=${page}&limit=7&sortBy=createdAt`)));
        assert.deepEqual(pages.map(({ items }) => items.length), [7, 7, 6]);
        assert.deepEqual(pages.map(({ pagination }) => pagination.hasMore), [true, true, false]);
        assert.equal(new Set(pages.flatMap(({ items }) => ids(items))).size, 20);
      });

      test('pageSize is another name of limit', async () => {
        assert.deepEqual((await list('pageSize=3&page=2')).items, (await list('limit=3&page=2')).items);
      });

      test('all filters nothing', async () => {
        assert.equal((await list('severity=all&status=all')).pagination.total, 20);
      });

      test('a severity filters', async () => {
        const { items, pagination } = await list('severity=critical');
        assert.ok(items.length > 0 && items.every(({ severity }) => severity === 'critical'));
        assert.equal(pagination.total, items.length);
      });

      test('a status filters', async () => {
        const { items } = await list('status=detected');
        assert.ok(items.length > 0 && items.every(({ status }) => status === 'detected'));
      });

      test('no drift is triaged', async () => {
        assert.equal((await list('status=triaged')).pagination.total, 0);
      });

      test('a search finds parts of ids and types', async () => {
        const [{ resourceId }] = (await list('limit=1')).items;
        const found = (await list(`search=${encodeURIComponent(resourceId.slice(0, -1).toUpperCase())}`)).items;
        assert.ok(found.some((drift) => drift.resourceId === resourceId));
        assert.equal((await list('search=there+is+no+such+thing')).pagination.total, 0);
      });

      test('a list is sorted in both directions', async () => {
        for (const key of ['costImpactMonthly', 'detectedAt']) {
          const values = async (order) =>
            (await list(`sortBy=${key}&sortOrder=${order}`)).items.map((drift) => Number(drift[key]) || Date.parse(drift[key]) || 0);
          const ascending = await values('asc');
          assert.deepEqual(ascending, sorted(ascending), key);
          assert.deepEqual(await values('desc'), sorted(ascending).reverse(), key);
        }
      });

      test('an unknown parameter is ignored, and a wrong one is named', async () => {
        assert.equal((await list('_=1764&view=table')).items.length, 20);
        assert.deepEqual(fields(refused(await api.get('/api/v1/drifts?page=0'), 400, 'VALIDATION_ERROR')), ['page']);
        assert.deepEqual(fields(refused(await api.get('/api/v1/drifts?sortBy=x'), 400, 'VALIDATION_ERROR')), ['sortBy']);
      });

      test('a list has no states and, without a token, no reasons', async () => {
        for (const drift of (await list('', engineer)).items) assert.ok(!('actualState' in drift));
        for (const drift of (await list()).items) assert.deepEqual([drift.approvalReason, drift.approvedBy], [null, null]);
      });
    });

    describe('a single drift', () => {
      test('an engineer sees its states and the values that differ', async () => {
        const [{ id }] = (await list('search=aws_instance')).items;
        const drift = await data(engineer, `/drifts/${id}`);
        const [[path, values]] = Object.entries(drift.difference);
        assert.equal(drift.expectedState[path], values.expected);
        assert.equal(drift.actualState[path], values.actual);
        assert.notDeepEqual(values.expected, values.actual);
      });

      test('a viewer sees no states, and the public no paths', async () => {
        const [{ id }] = (await list('search=aws_instance')).items;
        const [seen, open] = [await data(viewer, `/drifts/${id}`), await data(api, `/drifts/${id}`)];
        assert.deepEqual([seen.expectedState, seen.actualState, open.actualState], [null, null, null]);
        assert.ok(Object.values(seen.difference).every(({ expected, actual }) => expected === null && actual === null));
        assert.deepEqual(open.difference, {});
      });

      test('the fields for its buttons are there', async () => {
        const drift = await undecided();
        assert.deepEqual([drift.canApprove, drift.canReject, drift.alertCount >= 0], [true, true, true]);
      });

      test('an unknown id and a malformed one are not found', async () => {
        for (const id of [UNKNOWN_ID, '42', 'latest']) {
          refused(await engineer.get(`/api/v1/drifts/${id}`), 404, 'NOT_FOUND');
        }
      });
    });

    describe('decisions', () => {
      test('a viewer and a stranger decide nothing', async () => {
        const { id } = await undecided();
        for (const action of ['approve', 'reject']) {
          const path = `/api/v1/drifts/${id}/${action}`;
          refused(await viewer.post(path, { reason: REASON }), 403, 'FORBIDDEN');
          refused(await api.post(path, { reason: REASON }), 401, 'AUTH_ERROR');
        }
        assert.equal((await data(api, `/drifts/${id}`)).status, 'detected');
      });

      test('a short reason is refused', async () => {
        const { id } = await undecided();
        for (const action of ['approve', 'reject']) {
          const answer = await engineer.post(`/api/v1/drifts/${id}/${action}`, { reason: 'too short' });
          assert.deepEqual(fields(refused(answer, 400, 'VALIDATION_ERROR')), ['reason']);
        }
      });

      test('an engineer approves, and the sockets hear it', async () => {
        const { id } = await undecided();
        const client = await StockClient.authorized(app.socketOrigins[0], viewer.token);
        await client.ask('subscribe:drifts');
        const answer = await engineer.post(`/api/v1/drifts/${id}/approve`, { reason: REASON, notify: true });
        const drift = succeeded(answer).data;
        assert.deepEqual([drift.status, drift.approvalReason, drift.canApprove], ['approved', REASON, false]);
        assert.equal(drift.approvedBy, engineer.session.user.id);
        assert.equal((await client.event('drift:approved'))[0].id, id);
        client.close();
      });

      test('an admin rejects', async () => {
        const { id } = await undecided();
        const drift = succeeded(await admin.post(`/api/v1/drifts/${id}/reject`, { reason: REASON })).data;
        assert.deepEqual([drift.status, drift.rejectionReason], ['rejected', REASON]);
        assert.ok(Date.parse(drift.rejectedAt) > 0);
      });

      test('a decision is made once', async () => {
        const [{ id }] = (await list('status=approved&limit=1')).items;
        refused(await engineer.post(`/api/v1/drifts/${id}/approve`, { reason: REASON }), 409, 'INVALID_TRANSITION');
      });

      test('the timeline has the decision and its reason, for users only', async () => {
        const [{ id }] = (await list('status=approved&limit=1')).items;
        const { items, pagination } = await data(viewer, `/drifts/${id}/timeline`);
        assert.deepEqual(items.map(({ action }) => action), ['drift.approve', 'drift.create']);
        assert.deepEqual([items[0].details.reason, items[0].newValue.status], [REASON, 'approved']);
        assert.equal(pagination.total, 2);
        refused(await api.get(`/api/v1/drifts/${id}/timeline`), 401, 'AUTH_ERROR');
        refused(await viewer.get(`/api/v1/drifts/${UNKNOWN_ID}/timeline`), 404, 'NOT_FOUND');
      });
    });

    describe('alerts', () => {
      const unread = async (caller) => (await data(caller, '/alerts/unread-count')).count;

      test('a list has pages and filters', async () => {
        const { items, pagination } = await data(api, '/alerts?limit=5&severity=critical&status=all');
        assert.equal(items.length, 5);
        assert.ok(pagination.total > 5 && pagination.hasMore);
        assert.ok(items.every(({ severity, driftId }) => severity === 'critical' && driftId));
      });

      test('an alert is marked as read for one user', async () => {
        const [before, others] = [await unread(viewer), await unread(admin)];
        const [{ id }] = (await data(viewer, '/alerts?isRead=false&limit=1')).items;
        const alert = succeeded(await viewer.post(`/api/v1/alerts/${id}/mark-read`)).data;
        assert.deepEqual([alert.id, alert.isRead], [id, true]);
        assert.deepEqual([await unread(viewer), await unread(admin)], [before - 1, others]);
      });

      test('all alerts are marked as read, and their number is returned', async () => {
        const count = await unread(viewer);
        assert.deepEqual(succeeded(await viewer.post('/api/v1/alerts/mark-all-read')).data, { markedCount: count });
        assert.equal(await unread(viewer), 0);
        assert.ok((await unread(admin)) > 0);
      });

      test('a stranger marks nothing, and an unknown alert is not found', async () => {
        const [{ id }] = (await data(api, '/alerts?limit=1')).items;
        refused(await api.post(`/api/v1/alerts/${id}/mark-read`), 401, 'AUTH_ERROR');
        refused(await api.post('/api/v1/alerts/mark-all-read'), 401, 'AUTH_ERROR');
        refused(await viewer.post(`/api/v1/alerts/${UNKNOWN_ID}/mark-read`), 404, 'NOT_FOUND');
      });
    });

    describe('metrics', () => {
      test('the summary counts what the lists show', async () => {
        const { drifts, alerts, cost } = await data(api, '/metrics/summary');
        assert.equal(drifts.total, (await list()).pagination.total);
        for (const [status, count] of Object.entries(drifts.byStatus)) {
          assert.equal(count, (await list(`status=${status}`)).pagination.total, status);
        }
        for (const [severity, count] of Object.entries(drifts.bySeverity)) {
          assert.equal(count, (await list(`severity=${severity}`)).pagination.total, severity);
        }
        assert.equal(alerts.total, (await data(api, '/alerts')).pagination.total);
        assert.ok(alerts.unread <= alerts.total);
        assert.deepEqual(Object.keys(cost).sort(), ['projectedSavings', 'totalMonthlyImpact']);
      });

      test('days bounds the summary', async () => {
        assert.ok((await data(api, '/metrics/summary?days=365')).drifts.total <= 20);
        assert.deepEqual(fields(refused(await api.get('/api/v1/metrics/summary?days=0'), 400, 'VALIDATION_ERROR')), ['days']);
      });

      test('the distributions agree with the summary', async () => {
        const { drifts } = await data(api, '/metrics/summary');
        const severities = await data(api, '/metrics/severity-distribution');
        const statuses = await data(api, '/metrics/status-distribution');
        assert.deepEqual(Object.fromEntries(severities.map(({ severity, count }) => [severity, count])), drifts.bySeverity);
        assert.deepEqual(Object.fromEntries(statuses.map(({ status, count }) => [status, count])), drifts.byStatus);
      });

      test('the cost trend has each day once', async () => {
        const trend = await data(api, '/metrics/cost-trend?days=14');
        assert.equal(new Set(trend.map(({ date }) => date)).size, 14);
        assert.ok(trend.every(({ cost, driftCount }) => cost >= 0 && driftCount >= 0));
      });
    });

    describe('accounts', () => {
      const signUp = async () => {
        const address = `page-${Date.now()}@example.com`;
        const body = { name: 'Old Page', email: address, password: 'correct horse' };
        return api.withToken(succeeded(await api.post('/api/v1/auth/signup', body)).data.accessToken);
      };

      test('a user reads their account', async () => {
        const me = await data(viewer, '/users/me');
        assert.deepEqual([me.email, me.role, me.isActive], ['viewer@driftsentry.local', 'viewer', true]);
        refused(await api.get('/api/v1/users/me'), 401, 'AUTH_ERROR');
      });

      test('settings are kept for their user only', async () => {
        const settings = { theme: 'dark', columns: ['severity', 'region'] };
        succeeded(await viewer.put('/api/v1/users/me/settings', settings));
        assert.deepEqual((await data(viewer, '/users/me')).settings, settings);
        assert.deepEqual((await data(engineer, '/users/me')).settings, {});
      });

      test('an admin regenerates an API key, which then works, and nobody else does', async () => {
        const path = '/api/v1/users/me/api-key/regenerate';
        const { apiKey } = succeeded(await admin.post(path)).data;
        const scanner = api.withToken(apiKey);
        assert.equal((await data(scanner, '/drifts?limit=1')).items.length, 1);
        const { apiKey: next } = succeeded(await admin.post(path)).data;
        assert.notEqual(next, apiKey);
        refused(await engineer.post(path), 403, 'FORBIDDEN');
        refused(await api.post(path), 401, 'AUTH_ERROR');
      });

      test('a user deletes their account', async () => {
        const user = await signUp();
        assert.equal((await user.delete('/api/v1/users/me')).status, 200);
        refused(await user.get('/api/v1/users/me'), 401, 'AUTH_ERROR');
      });
    });

    describe('operations', () => {
      test('the probes respond', async () => {
        for (const path of ['/health/live', '/health/ready']) {
          const answer = await fetch(api.origins.drift + path);
          assert.deepEqual([answer.status, (await answer.json()).status], [200, 'ok'], path);
        }
      });

      test('the details of the health are not for strangers behind Caddy', async () => {
        const answer = await fetch(`${api.origins.drift}/health/detailed`);
        const isOpen = name !== 'behind Caddy';
        assert.deepEqual([answer.ok, (await answer.text()).includes('dependencies')], [isOpen, isOpen]);
      });

      test('each response has a correlation id, and a page may choose it', async () => {
        assert.ok((await api.get('/api/v1/drifts?limit=1')).headers.get('x-correlation-id'));
        const answer = await viewer.post('/api/v1/alerts/mark-all-read', {}, { 'x-request-id': 'page-7' });
        assert.equal(answer.headers.get('x-correlation-id'), 'page-7');
      });
    });
  });
}
