// Checks that each test that the documents name exists in the code.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { repository } from '../lib/process.mjs';

/** Returns the source of every test of the project. */
function source() {
  const list = execFileSync('git', ['ls-files', '*.rs', '*.test.mjs'], { cwd: repository, encoding: 'utf8' });
  return list.trim().split('\n').map((file) => readFileSync(`${repository}/${file}`, 'utf8')).join('\n');
}

/** Returns the names in backticks in the last column of a table. */
function named(file) {
  const rows = readFileSync(`${repository}/${file}`, 'utf8').split('\n').filter((line) => line.startsWith('|'));
  const cells = rows.map((row) => row.split('|').at(-2));
  const names = cells.flatMap((cell) => [...cell.matchAll(/`((?:\\`|[^`])+)`/g)].map(([, name]) => name));
  assert.ok(names.length > 20, `${file} names ${names.length} tests`);
  return names;
}

for (const file of ['docs/COMPATIBILITY.md']) {
  test(`each test that ${file} names exists`, () => {
    const code = source();
    const isTest = (name) => code.includes(`fn ${name}(`) || code.includes(`'${name}'`);
    assert.deepEqual(named(file).filter((name) => !isTest(name)), []);
  });
}
