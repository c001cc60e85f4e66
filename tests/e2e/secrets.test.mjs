// No secret of a sample, no token and no password appears outside the services.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { succeeded } from '../lib/api.mjs';
import { allInOne, split } from '../lib/deployments.mjs';
import { expected, sample, sampleNames, secretLiterals } from '../lib/samples.mjs';
import { audience } from '../lib/sockets.mjs';

const PASSWORD = 'a canary among passwords';

/** Returns the query for a sample: `terraform_data` has its drift among the planned changes only. */
function queries(name) {
  const stack = name.replaceAll('/', '-');
  return name.startsWith('driftctl') ? [{ stack }] : [{ stack }, { stack: `${stack}-changes`, source: 'changes' }];
}

function expectedDrifts(name, { source = 'drift' }) {
  const rules = expected[name];
  return rules.drifts ?? rules[source === 'changes' ? 'resource_changes' : 'resource_drift'].drifts;
}

for (const [name, start] of Object.entries({ 'all in one': allInOne, split })) {
  let app, samples;

  describe(`secrets, ${name}`, () => {
    before(async () => {
      const names = await sampleNames();
      samples = new Map(await Promise.all(names.map(async (name) => [name, await sample(name)])));
      app = await start();
    });
    after(() => app?.stop());

    test('the secrets that the test looks for are in the samples', () => {
      const all = [...samples.values()].join('\n');
      for (const literal of secretLiterals) assert.ok(all.includes(literal), literal);
    });

    test('no response, event, log or stored byte holds a secret of any sample, a token or a password', async () => {
      const engineer = await app.api.login('engineer');
      const listeners = await audience(app.socketOrigins, [engineer, await app.api.login('viewer')]);
      const clients = listeners.map(({ client }) => client);

      const signup = { name: 'Ada', email: 'ada@example.org', password: PASSWORD };
      const { data: ada } = succeeded(await app.api.post('/api/auth/signup', signup));
      succeeded(await app.api.post('/api/auth/refresh', { refreshToken: ada.refreshToken }));

      let created = 0;
      for (const [name, text] of samples) {
        const accepted = name in expected && expected[name].accept !== false;
        for (const query of queries(name)) {
          const answer = await engineer.ingest(text, query);
          // The lines of `terraform plan -json` are read too, as far as possible.
          if (name.endsWith('.jsonl')) {
            created += succeeded(answer).data.created;
            continue;
          }
          if (!accepted) {
            assert.equal(answer.status, 422, `${name}: ${answer.text}`);
            continue;
          }
          assert.equal(succeeded(answer).data.created, expectedDrifts(name, query), `${name} ${query.source}`);
          created += answer.data.created;
        }
      }
      assert.ok(created > 4000);
      const drifts = await engineer.list('/api/v1/drifts');
      assert.equal(drifts.length, created);
      await app.api.list('/api/v1/drifts');
      await app.api.list('/api/v1/alerts');
      for (const { id } of drifts.slice(0, 100)) await engineer.get(`/api/v1/drifts/${id}`);
      await Promise.all(clients.map((client) => client.event('drift:created', created)));

      const places = {
        responses: app.api.transcript.join('\n'),
        events: JSON.stringify(clients.map((client) => client.heard)),
        log: app.log(),
        stores: await app.stored(),
      };
      const known = drifts[0].resourceId;
      for (const place of ['responses', 'events', 'stores']) {
        assert.ok(places[place].includes(known), `${place} hold the drifts, so the search means something`);
      }
      assert.ok(places.stores.includes('(sensitive value)'));
      for (const [place, text] of Object.entries(places)) {
        for (const literal of secretLiterals) {
          const index = text.indexOf(literal);
          assert.equal(index, -1, `${literal} in ${place}: …${text.slice(Math.max(0, index - 200), index + 60)}…`);
        }
      }
      const tokens = [engineer.session, ada].flatMap(({ accessToken, refreshToken }) => [accessToken, refreshToken]);
      for (const credential of [...tokens, PASSWORD]) {
        for (const place of ['events', 'log', 'stores']) {
          assert.ok(!places[place].includes(credential), `${credential} in ${place}`);
        }
      }
      for (const client of clients) client.close();
    });
  });
}
