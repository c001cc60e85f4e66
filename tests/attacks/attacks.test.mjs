// Every attack that worked on 0.1.0, tried against both deployments.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { attacks, obstacle } from './attacks.mjs';
import { deployments } from './deployments.mjs';

for (const [name, { start, has }] of Object.entries(deployments)) {
  describe(`${name} withstands the attacks`, () => {
    let deployment;
    before(async () => (deployment = await start()));
    after(() => deployment?.stop());

    const known = Object.fromEntries(has.map((field) => [field, true]));
    for (const { line, title, attack } of attacks.filter((one) => !obstacle(one, known))) {
      test(`${title} (s${line})`, () => attack(deployment.target));
    }

    test('every attack that can be tried is tried', () => {
      const tried = attacks.filter((one) => !obstacle(one, deployment.target));
      assert.equal(tried.length, attacks.filter((one) => !obstacle(one, known)).length);
    });
  });
}
