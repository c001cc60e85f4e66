import assert from 'node:assert/strict';

import { httpAttacks } from './http.mjs';
import { socketAttacks } from './sockets.mjs';

async function operationsInPublic(target) {
  for (const path of ['/metrics', '/ready']) assert.equal((await target.raw('GET', path)).status, 404, path);
  const { json } = await target.raw('GET', '/health');
  assert.deepEqual(Object.keys(json).filter((key) => key !== 'service'), ['status']);
}

const others = [
  { line: 71, title: 'metrics and dependencies are shown to strangers', attack: operationsInPublic, needs: 'hidesOperations' },
  { line: 77, title: 'a data folder with % in its name', heldBy: 'any_folder_name_works_and_its_files_are_the_owners_alone_s71_s77' },
];

/**
 * `{ line, title, attack, needs, heldBy }`, in the order of the lines of docs/SECURITY.md. `attack(target)` resolves if
 * the target withstands it; it can be tried if the target has the field `needs`. What cannot be tried from outside is
 * held by a test.
 */
export const attacks = [...httpAttacks, ...socketAttacks, ...others].sort((one, other) => one.line - other.line);

/** Why the attack cannot be tried on the target; `undefined` if it can. */
export function obstacle({ attack, needs, heldBy }, target) {
  if (!attack) return `not from outside; held by ${heldBy}`;
  return needs && !target[needs] ? `needs a target with \`${needs}\`` : undefined;
}
