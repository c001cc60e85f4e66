import assert from 'node:assert/strict';

import { httpAttacks } from './http.mjs';
import { socketAttacks } from './sockets.mjs';

async function operationsInPublic(target) {
  for (const path of ['/metrics', '/ready']) assert.equal((await target.raw('GET', path)).status, 404, path);
  const { json } = await target.raw('GET', '/health');
  assert.deepEqual(Object.keys(json).filter((key) => key !== 'service'), ['status']);
}

const others = [
  { line: 71, title: 'strangers read metrics and dependencies', attack: operationsInPublic, needs: 'hidesOperations' },
  { line: 77, title: 'a data folder with % in its name leads elsewhere', heldBy: 'any_folder_name_works_and_only_the_owner_can_read_its_files_s71_s77' },
];

/**
 * The attacks as `{ line, title, attack, needs, heldBy }`, in the order of the lines of docs/SECURITY.md.
 * `attack(target)` resolves if the target withstands the attack. An attack can be tried if the target has the field
 * `needs`. For an attack that cannot be tried from outside, `heldBy` names a test.
 */
export const attacks = [...httpAttacks, ...socketAttacks, ...others].sort((one, other) => one.line - other.line);

/** Returns the reason why an attack cannot be tried on the target, or `undefined` if it can. */
export function obstacle({ attack, needs, heldBy }, target) {
  if (!attack) return `not possible from outside; tested by ${heldBy}`;
  return needs && !target[needs] ? `needs a target with \`${needs}\`` : undefined;
}
