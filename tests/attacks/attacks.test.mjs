// Every attack that worked on 0.1.0, tried against both deployments.

import { after, before, describe, test } from 'node:test';

import { attacks } from './attacks.mjs';
import { deployments } from './deployments.mjs';
import { NotHere } from './target.mjs';

for (const [name, start] of Object.entries(deployments)) {
  describe(`${name} withstands the attacks`, () => {
    let deployment;
    before(async () => (deployment = await start()));
    after(() => deployment?.stop());

    for (const [line, title, attack] of attacks) {
      test(`${line}: ${title}`, async () => {
        await attack(deployment.target).catch((error) => {
          if (!(error instanceof NotHere)) throw error;
        });
      });
    }
  });
}
