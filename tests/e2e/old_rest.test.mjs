// Sessions, alerts, metrics and accounts in the old REST contract.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { succeeded } from '../lib/api.mjs';
import { OldPage, UNKNOWN_ID, deployments, fields, refused } from './old_page.mjs';

for (const [name, start] of deployments) {
  describe(`an old page, ${name}`, () => {
    let page;
    before(async () => (page = await OldPage.open(start)));
    after(() => page?.close());

    describe('sessions', () => {
      test('logging in returns tokens and the user, whatever else the page sends', async () => {
        const body = { email: 'viewer@driftsentry.local', password: 'viewer123', rememberMe: true };
        const { data: session } = succeeded(await page.api.post('/api/v1/auth/login', body));
        assert.equal(session.user.role, 'viewer');
        assert.ok(session.accessToken && session.refreshToken);
      });

      test('a wrong password is refused in the old form', async () => {
        const body = { email: 'viewer@driftsentry.local', password: 'not the password' };
        refused(await page.api.post('/api/v1/auth/login', body), 401, 'AUTH_ERROR');
      });

      test('a login without a password names the field', async () => {
        const answer = await page.api.post('/api/v1/auth/login', { email: 'viewer@driftsentry.local' });
        assert.deepEqual(fields(refused(answer, 400, 'VALIDATION_ERROR')), ['password']);
      });

      test('a refresh token becomes an access token', async () => {
        const { session } = await page.api.login('viewer');
        const body = { refreshToken: session.refreshToken, client: 'page' };
        const { data: refreshed } = succeeded(await page.api.post('/api/v1/auth/refresh', body));
        assert.equal((await page.data(page.api.withToken(refreshed.accessToken), '/users/me')).role, 'viewer');
      });

      test('an unknown refresh token is refused', async () => {
        refused(await page.api.post('/api/v1/auth/refresh', { refreshToken: 'unknown' }), 401, 'AUTH_ERROR');
      });

      test('logging out ends the session', async () => {
        const { session } = await page.api.login('viewer');
        const body = { refreshToken: session.refreshToken };
        succeeded(await page.api.post('/api/v1/auth/logout', body));
        refused(await page.api.post('/api/v1/auth/refresh', body), 401, 'AUTH_ERROR');
      });

      test('logging out with an unknown token is a success', async () => {
        assert.equal((await page.api.post('/api/v1/auth/logout', { refreshToken: 'unknown' })).status, 200);
      });
    });

    describe('alerts', () => {
      const unread = async (caller) => (await page.data(caller, '/alerts/unread-count')).count;

      test('a list has pages and filters', async () => {
        const { items, pagination } = await page.data(page.api, '/alerts?limit=5&severity=critical&status=all');
        assert.equal(items.length, 5);
        assert.ok(pagination.total > 5 && pagination.hasMore);
        assert.ok(items.every(({ severity, driftId }) => severity === 'critical' && driftId));
      });

      test('an alert is marked as read for one user', async () => {
        const [before, others] = [await unread(page.viewer), await unread(page.admin)];
        const [{ id }] = (await page.data(page.viewer, '/alerts?isRead=false&limit=1')).items;
        const alert = succeeded(await page.viewer.post(`/api/v1/alerts/${id}/mark-read`)).data;
        assert.deepEqual([alert.id, alert.isRead], [id, true]);
        assert.deepEqual([await unread(page.viewer), await unread(page.admin)], [before - 1, others]);
      });

      test('all alerts are marked as read, and their number is returned', async () => {
        const count = await unread(page.viewer);
        assert.deepEqual(succeeded(await page.viewer.post('/api/v1/alerts/mark-all-read')).data, { markedCount: count });
        assert.equal(await unread(page.viewer), 0);
        assert.ok((await unread(page.admin)) > 0);
      });

      test('a stranger marks nothing, and an unknown alert is not found', async () => {
        const [{ id }] = (await page.data(page.api, '/alerts?limit=1')).items;
        refused(await page.api.post(`/api/v1/alerts/${id}/mark-read`), 401, 'AUTH_ERROR');
        refused(await page.api.post('/api/v1/alerts/mark-all-read'), 401, 'AUTH_ERROR');
        refused(await page.viewer.post(`/api/v1/alerts/${UNKNOWN_ID}/mark-read`), 404, 'NOT_FOUND');
      });
    });

    describe('metrics', () => {
      test('the summary counts what the lists show', async () => {
        const { drifts, alerts, cost } = await page.data(page.api, '/metrics/summary');
        assert.equal(drifts.total, (await page.list()).pagination.total);
        for (const [status, count] of Object.entries(drifts.byStatus)) {
          assert.equal(count, (await page.list(`status=${status}`)).pagination.total, status);
        }
        for (const [severity, count] of Object.entries(drifts.bySeverity)) {
          assert.equal(count, (await page.list(`severity=${severity}`)).pagination.total, severity);
        }
        assert.equal(alerts.total, (await page.data(page.api, '/alerts')).pagination.total);
        assert.ok(alerts.unread <= alerts.total);
        assert.deepEqual(Object.keys(cost).sort(), ['projectedSavings', 'totalMonthlyImpact']);
      });

      test('days bounds the summary', async () => {
        assert.ok((await page.data(page.api, '/metrics/summary?days=365')).drifts.total <= 20);
        assert.deepEqual(fields(refused(await page.api.get('/api/v1/metrics/summary?days=0'), 400, 'VALIDATION_ERROR')), ['days']);
      });

      test('the distributions agree with the summary', async () => {
        const { drifts } = await page.data(page.api, '/metrics/summary');
        const severities = await page.data(page.api, '/metrics/severity-distribution');
        const statuses = await page.data(page.api, '/metrics/status-distribution');
        assert.deepEqual(Object.fromEntries(severities.map(({ severity, count }) => [severity, count])), drifts.bySeverity);
        assert.deepEqual(Object.fromEntries(statuses.map(({ status, count }) => [status, count])), drifts.byStatus);
      });

      test('the cost trend has each day once', async () => {
        const trend = await page.data(page.api, '/metrics/cost-trend?days=14');
        assert.equal(new Set(trend.map(({ date }) => date)).size, 14);
        assert.ok(trend.every(({ cost, driftCount }) => cost >= 0 && driftCount >= 0));
      });
    });

    describe('accounts', () => {
      const signUp = async () => {
        const address = `page-${Date.now()}@example.com`;
        const body = { name: 'Old Page', email: address, password: 'correct horse' };
        return page.api.withToken(succeeded(await page.api.post('/api/v1/auth/signup', body)).data.accessToken);
      };

      test('a user reads their account', async () => {
        const me = await page.data(page.viewer, '/users/me');
        assert.deepEqual([me.email, me.role, me.isActive], ['viewer@driftsentry.local', 'viewer', true]);
        refused(await page.api.get('/api/v1/users/me'), 401, 'AUTH_ERROR');
      });

      test('settings are kept for their user only', async () => {
        const settings = { theme: 'dark', columns: ['severity', 'region'] };
        succeeded(await page.viewer.put('/api/v1/users/me/settings', settings));
        assert.deepEqual((await page.data(page.viewer, '/users/me')).settings, settings);
        assert.deepEqual((await page.data(page.engineer, '/users/me')).settings, {});
      });

      test('an admin regenerates an API key, which then works, and nobody else does', async () => {
        const path = '/api/v1/users/me/api-key/regenerate';
        const { apiKey } = succeeded(await page.admin.post(path)).data;
        const scanner = page.api.withToken(apiKey);
        assert.equal((await page.data(scanner, '/drifts?limit=1')).items.length, 1);
        const { apiKey: next } = succeeded(await page.admin.post(path)).data;
        assert.notEqual(next, apiKey);
        refused(await page.engineer.post(path), 403, 'FORBIDDEN');
        refused(await page.api.post(path), 401, 'AUTH_ERROR');
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
          const answer = await fetch(page.api.origins.drift + path);
          assert.deepEqual([answer.status, (await answer.json()).status], [200, 'ok'], path);
        }
      });

      test('the details of the health are not for strangers behind Caddy', async () => {
        const answer = await fetch(`${page.api.origins.drift}/health/detailed`);
        const isOpen = name !== 'behind Caddy';
        assert.deepEqual([answer.ok, (await answer.text()).includes('dependencies')], [isOpen, isOpen]);
      });

      test('each response has a correlation id, and a page may choose it', async () => {
        assert.ok((await page.api.get('/api/v1/drifts?limit=1')).headers.get('x-correlation-id'));
        const answer = await page.viewer.post('/api/v1/alerts/mark-all-read', {}, { 'x-request-id': 'page-7' });
        assert.equal(answer.headers.get('x-correlation-id'), 'page-7');
      });
    });
  });
}
