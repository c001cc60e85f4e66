import assert from 'node:assert/strict';

import { httpAttacks } from './http.mjs';
import { socketAttacks } from './sockets.mjs';
import { NotHere, needs } from './target.mjs';

const atStart = (test) => async () => {
  throw new NotHere(`concerns startup; tested by ${test}`);
};

async function operationsInPublic(target) {
  needs(target.hidesOperations, 'a front door');
  for (const path of ['/metrics', '/ready']) assert.equal((await target.raw('GET', path)).status, 404, path);
  const { json } = await target.raw('GET', '/health');
  assert.deepEqual(Object.keys(json).filter((key) => key !== 'service'), ['status']);
}

const others = [
  [68, 'a database URL that cannot be read is printed', atStart('a_setting_of_no_use_is_named_and_never_shown_s68')],
  [71, 'strangers read metrics and dependencies', operationsInPublic],
  [77, 'a data folder with % in its name leads elsewhere', atStart('any_folder_name_works_and_its_files_are_the_owners_alone_s71_s77')],
];

/** `[line of docs/SECURITY.md, title of the attack, attack(target)]`, in the order of the lines. */
export const attacks = [...httpAttacks, ...socketAttacks, ...others].sort(([one], [other]) => Number(one) - Number(other) || 0);
