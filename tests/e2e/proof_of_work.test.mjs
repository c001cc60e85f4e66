// The proof of work, solved and verified by altcha's own library.

import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';

import { solveChallenge, verifySolution } from 'altcha-lib/v1';

import { allInOne } from '../lib/deployments.mjs';

const secret = randomBytes(32).toString('hex');
const key = createHmac('sha256', secret).update('proof of work\0').digest('hex');
let app;

before(async () => {
  app = await allInOne({ ABUSE_PROTECTION: 'pow', JWT_REFRESH_SECRET: secret });
});
after(() => app.stop());

const signUp = (name, altcha) => {
  const body = { name, email: `${name}@example.com`, password: 'correct horse', altcha };
  return app.api.post('/api/auth/signup', body);
};

test('a challenge that altcha solves and verifies is accepted once', async () => {
  const response = await fetch(`${app.api.origins.auth}/api/auth/challenge`);
  assert.equal(response.headers.get('cache-control'), 'no-store');
  const { algorithm, challenge, maxnumber, salt, signature } = await response.json();
  const { number, took } = await solveChallenge(challenge, salt, algorithm, maxnumber).promise;
  const solution = { algorithm, challenge, number, salt, signature, took };
  assert.ok(await verifySolution(solution, key));

  const payload = btoa(JSON.stringify(solution));
  assert.equal((await signUp('alice', payload)).status, 201);
  for (const refused of [payload, undefined, btoa(JSON.stringify({ ...solution, number: number + 1 }))]) {
    const answer = await signUp('bob', refused);
    assert.equal(answer.status, 400);
    assert.equal(answer.error.details[0].field, 'altcha');
  }
});
