// Checks that the tests and files that the documents name exist.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

import { attacks } from '../attacks/attacks.mjs';
import { repository } from '../lib/process.mjs';

const RUST_TEST =
  /#\[(?:\w+::)*(?:test|rstest)\b[^\]]*\]\s*(?:(?:#\[.*\](?=\n)|#\[[^\]]*\]|\/\/[^\n]*)\s*)*(?:pub )?(?:async )?fn (\w+)/g;
const NODE_TEST = /\b(?:test|describe)\(\s*(['"`])((?:\\.|(?!\1)[^])*)\1/g;

const read = (file) => readFileSync(join(repository, file), 'utf8');
const files = (...patterns) =>
  execFileSync('git', ['ls-files', ...patterns], { cwd: repository, encoding: 'utf8' }).trim().split('\n');

/** Returns the names of the tests in a file. */
function testsIn(file) {
  const text = read(file);
  if (file.endsWith('.rs')) return [...text.matchAll(RUST_TEST)].map(([, name]) => name);
  return [...text.matchAll(NODE_TEST)].map(([, , name]) => name.replaceAll('\\', ''));
}

const tests = new Map(files('*.rs', '*.test.mjs').map((file) => [file, new Set(testsIn(file))]));
const isTest = (name) => [...tests.values()].some((names) => names.has(name));

/** Returns the cells of the tables in a document, below a heading if one is given, as one array per row without heads. */
const rows = (file, heading = '# ') =>
  read(file)
    .slice(read(file).indexOf(heading))
    .split(/^\|[-| ]+\|\n/m)
    .slice(1)
    .flatMap((table) => table.split(/\n(?!\|)/)[0].split('\n'))
    .map((row) => row.split(/(?<!\\)\|/).slice(1, -1));

/** Returns the names in backticks. */
const quoted = (cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name);

test('each file of the walks and of the folders in docs/ARCHITECTURE.md exists', () => {
  const source = { auth: 'auth-service', drift: 'drift-service', notify: 'notify-service', gateway: 'ws-gateway' };
  const walks = rows('docs/ARCHITECTURE.md', '## Six paths through the code\n').flatMap((row) => {
    let folder;
    return quoted(row.at(-1)).map((name) => {
      const [first, ...rest] = name.split('/');
      // "or" continues in the folder of the file before it.
      const file = source[first] ? `services/${source[first]}/src/${rest.join('/')}` : name.includes('/') ? name : join(folder, name);
      folder = dirname(file);
      return file;
    });
  });
  const folders = rows('docs/ARCHITECTURE.md').flatMap(([folder, , files]) =>
    files ? quoted(files).filter((file) => file.endsWith('.rs')).map((file) => join(quoted(folder)[0], 'src', file)) : []);
  assert.ok(walks.length > 30 && folders.length > 5, `${walks.length} and ${folders.length} files`);
  assert.deepEqual([...walks, ...folders].filter((file) => !existsSync(join(repository, file))), []);
});

test('each test that docs/COMPATIBILITY.md names exists', () => {
  const named = rows('docs/COMPATIBILITY.md').flatMap((row) => quoted(row.at(-1)));
  assert.ok(named.length > 20, `${named.length} names`);
  assert.deepEqual(named.filter((name) => !isTest(name)), []);
});

test('each test that docs/SCANNING.md names exists', () => {
  const named = rows('docs/SCANNING.md', '## The tests behind this page\n').flatMap((row) => quoted(row.at(-1)));
  assert.ok(named.length > 15, `${named.length} names`);
  assert.deepEqual(named.filter((name) => !isTest(name)), []);
});

test('each test that docs/NOTIFICATIONS.md names exists', () => {
  const named = rows('docs/NOTIFICATIONS.md', '## The tests behind this page\n').flatMap((row) => quoted(row.at(-1)));
  assert.ok(named.length > 15, `${named.length} names`);
  assert.deepEqual(named.filter((name) => !isTest(name)), []);
});

test('each test or file that a target of docs/PERFORMANCE.md names exists', () => {
  const named = rows('docs/PERFORMANCE.md', '## Targets of the gateway\n').flatMap((row) => quoted(row.at(-1)));
  assert.ok(named.length > 5, `${named.length} names`);
  assert.deepEqual(named.filter((name) => !isTest(name) && !existsSync(join(repository, name))), []);
});

test('each line of docs/SECURITY.md names tests that are in the linked files', () => {
  const lines = rows('docs/SECURITY.md').filter(([number]) => /^ \d+ $/.test(number));
  assert.ok(lines.length > 80, `${lines.length} lines`);
  assert.deepEqual(lines.map(([number]) => Number(number)), [...lines.keys()].map((index) => index + 1));
  for (const [number, , heldBy] of lines) {
    const links = [...heldBy.matchAll(/\[`?([^\]`]+)`?\]\(([^)]+)\)/g)];
    assert.ok(links.length > 0, `line ${number}`);
    for (const [, name, link] of links) {
      assert.ok(tests.get(join('docs', link))?.has(name), `line ${number}: ${name} in ${link}`);
    }
  }
});

test('each test that holds an attack exists', () => {
  const named = attacks.flatMap(({ heldBy }) => heldBy ?? []);
  assert.ok(named.length > 0);
  assert.deepEqual(named.filter((name) => !isTest(name)), []);
});

test('each link from one file of the project to another leads somewhere', () => {
  for (const file of files('*.md')) {
    const links = [...read(file).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, link]) => link);
    const broken = links.filter((link) => !/^\w+:/.test(link) && !existsSync(join(repository, dirname(file), link)));
    assert.deepEqual(broken, [], file);
  }
});
