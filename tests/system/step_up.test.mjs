// Step-ups over open sockets: auth-service and ws-gateway twice each, and Redis as it is deployed.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Secret, TOTP } from 'otpauth';

import { Api, succeeded } from '../lib/api.mjs';
import { Process, binary } from '../lib/process.mjs';
import { PlainClient, StockClient } from '../lib/sockets.mjs';
import { eventually, freePort } from '../lib/waiting.mjs';
import { behindCaddy } from './behind_caddy.mjs';

const PERIOD = 30;
/** Fits into the limit, and occurs nowhere by chance. */
const WRONG = 'no-code-4711-zq';

describe('a step-up over an open socket', () => {
  let app, replica, totp, waiting;
  const sent = [];
  let step = 0;

  before(async () => {
    app = await behindCaddy();
    const port = await freePort();
    replica = Object.assign(new Process(binary('auth-service'), [], { ...app.auth.env, PORT: String(port) }), {
      url: `http://127.0.0.1:${port}`,
    });
    app.processes.push(replica);
    await replica.ready(replica.url);

    // Sessions from before the second factor, which are therefore never asked for it at their login.
    waiting = [await app.api.login('admin'), await app.api.login('admin')];
    const enrolling = await app.api.login('admin');
    const { secret } = succeeded(await enrolling.post('/api/auth/factors/totp')).data;
    totp = new TOTP({ secret: Secret.fromBase32(secret) });
    succeeded(await enrolling.post('/api/auth/factors/totp/confirm', { code: nextCode() }));
  });
  after(() => app?.stop());

  /** Returns a code that was not used yet. The service accepts one step before and one after the current one. */
  function nextCode() {
    step = Math.max(step + 1, Math.floor(Date.now() / 1000 / PERIOD) - 1);
    const code = totp.generate({ timestamp: step * PERIOD * 1000 });
    sent.push(code);
    return code;
  }

  /** A session that has not shown its second factor: with a new token, as its page would have. */
  async function unproven() {
    const { refreshToken } = waiting.pop().session;
    const { accessToken } = succeeded(await app.api.post('/api/auth/refresh', { refreshToken })).data;
    return accessToken;
  }

  /** Calls something sensitive at the other replica. */
  const sensitive = (token) =>
    new Api({ auth: replica.url }, token).post('/api/auth/tokens', { name: 'ci', role: 'viewer' });

  const operations = async () => {
    const name = 'auth_operations_total\\{operation="step_up",status="(?:success|failure)"\\}';
    return (await app.metric(app.auth, name)) + (await app.metric(replica, name));
  };

  const clients = {
    'stock socket.io-client': async (token) => {
      const client = await StockClient.authorized(app.gateways[0].url, token);
      return { client, ask: (proof) => client.ask('connection.stepup', proof) };
    },
    'a client of /ws': async (token) => {
      const client = await PlainClient.authorized(app.gateways[1].url, token);
      return { client, ask: (proof) => client.ask({ type: 'stepup', ...proof }) };
    },
  };

  for (const [name, connect] of Object.entries(clients)) {
    test(`${name}: opens sensitive requests of the session at every replica within a second, and nothing closes`, async () => {
      const token = await unproven();
      const { client, ask } = await connect(token);
      const refused = await sensitive(token);
      assert.deepEqual([refused.status, refused.error.code], [403, 'STEP_UP_REQUIRED'], refused.text);
      assert.deepEqual(refused.error.details.methods, ['totp']);
      const before = await operations();

      const wrong = await ask({ code: WRONG });
      assert.deepEqual([wrong.success, wrong.error.code], [false, 'VALIDATION_ERROR']);
      assert.equal((await sensitive(token)).status, 403);
      const code = nextCode();
      const raised = await ask({ code });
      assert.equal(raised.success, true, JSON.stringify(raised));
      await eventually('the request to pass', async () => (await sensitive(token)).status === 201, 1_000);
      assert.equal(raised.data.acr, 'mfa');
      assert.ok(Date.parse(raised.data.authTime) <= Date.now() + 1_000);
      assert.ok(Date.parse(raised.data.freshUntil) > Date.now());
      await client.event('auth:session.strengthened');

      const again = await ask({ code });
      assert.deepEqual([again.success, again.error.code], [false, 'VALIDATION_ERROR'], 'a code works once');
      assert.equal(again.error.message, wrong.error.message);
      assert.equal(await operations(), before + 3, 'one replica handled each');
      assert.equal(client.of('auth:step_up.answered').length + client.of('gateway:step_up').length, 0);
      assert.ok(client.socket.connected ?? client.socket.readyState === client.socket.OPEN);
      client.close();
    });
  }

  test('no code is in a log, in the log of events, or in any store', async () => {
    const [log, stream] = [app.logs(), await app.redis.ask('XRANGE', '{driftsentry}:log', '-', '+')];
    assert.match(stream, /auth:session\.strengthened/);
    const places = { log, stream, stored: await app.stored() };
    assert.ok(sent.length >= 3);
    for (const [place, text] of Object.entries(places)) {
      assert.ok(!text.includes(WRONG), `a wrong code is in the ${place}`);
      // A code alone, and not the digits of a longer number.
      for (const code of sent) assert.doesNotMatch(text, new RegExp(`(?<![\\w.-])${code}(?![\\w.-])`), place);
    }
  });
});
