// A typical day of a frontend that was written for the Node stack, with axios and io(), unchanged.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import axios from 'axios';

import { allInOne, split } from '../lib/deployments.mjs';
import { sample } from '../lib/samples.mjs';
import { StockClient } from '../lib/sockets.mjs';
import { behindCaddy } from '../system/behind_caddy.mjs';
import { resigned } from '../lib/tokens.mjs';

const deployments = { 'all in one': allInOne, split, 'behind Caddy': behindCaddy };
const contracts = Object.keys(deployments).flatMap((name) => ['false', 'true'].map((COMPAT_ROUTES) => [name, COMPAT_ROUTES]));

for (const [name, COMPAT_ROUTES] of contracts) {
  let app;

  describe(`an old frontend, ${name}, COMPAT_ROUTES=${COMPAT_ROUTES}`, () => {
    before(async () => (app = await deployments[name]({ COMPAT_ROUTES })));
    after(() => app?.stop());

    test('the ten steps: log in, call, be refused, listen, approve, refresh, log out', async () => {
      const { api } = app;
      const [origin] = app.socketOrigins;

      const admin = await api.login('admin');
      assert.equal(admin.session.user.role, 'admin');
      assert.equal((await admin.get('/api/auth/me')).data.email, 'admin@driftsentry.local');
      assert.equal((await api.get('/api/auth/me')).status, 401);

      await admin.ingest(await sample('fakeaws_1/plan.json'), { stack: 'old' });
      const { data } = await api.get('/api/v1/drifts');
      const [drift] = COMPAT_ROUTES === 'true' ? data.items : data;
      const approve = (caller) => caller.post(`/api/v1/drifts/${drift.id}/approve`, { reason: 'fine in this release' });
      assert.equal((await approve(await api.login('viewer'))).status, 403);

      const client = await StockClient.authorized(origin, admin.token);
      assert.equal((await StockClient.refusal(origin)).data.code, 'MISSING_TOKEN');
      client.socket.emit('subscribe:drifts');
      await client.ask('subscribe:drifts');
      assert.equal((await approve(admin)).status, 200);
      const [approved] = await client.event('drift:approved');
      assert.equal(approved.id, drift.id);

      const { refreshToken } = admin.session;
      const { data: refreshed } = await api.post('/api/auth/refresh', { refreshToken });
      const again = api.withToken(refreshed.accessToken);
      assert.equal((await again.get('/api/auth/me')).status, 200);
      assert.equal((await again.post('/api/auth/logout')).status, 200);
      assert.equal((await again.get('/api/auth/me')).status, 401);
      client.close();
    });

    test('one refresh repairs a 401 in the middle, and the socket accepts the new token', async () => {
      const { session } = await app.api.login('engineer');
      const past = Math.floor(Date.now() / 1000) - 60;
      const tokens = { ...session, accessToken: resigned(session.accessToken, { exp: past }, app.accessSecret) };
      let refreshes = 0;

      const http = axios.create({ baseURL: app.api.origins.auth });
      http.interceptors.request.use((request) => {
        request.headers.Authorization = `Bearer ${tokens.accessToken}`;
        return request;
      });
      http.interceptors.response.use(undefined, async (error) => {
        if (error.response?.status !== 401 || error.config.repeated) throw error;
        refreshes += 1;
        const url = `${app.api.origins.auth}/api/auth/refresh`;
        const { data: answer } = await axios.post(url, { refreshToken: tokens.refreshToken });
        Object.assign(tokens, answer.data);
        return http({ ...error.config, repeated: true });
      });

      const { data: me } = await http.get('/api/auth/me');
      assert.equal(me.data.email, 'engineer@driftsentry.local');
      await http.get('/api/auth/sessions');
      assert.equal(refreshes, 1);

      // The callback form of `auth`: the frontend sends the token that it has at that moment.
      const auth = (give) => give({ token: tokens.accessToken });
      const client = new StockClient(app.socketOrigins[0], { auth });
      await client.event('connection.authorized');
      client.close();
    });
  });
}
