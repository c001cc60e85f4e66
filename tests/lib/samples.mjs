import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

import { repository } from './process.mjs';

const folder = join(repository, 'tests/samples');

/** The names of all samples in expected.json, such as `fakeaws_20/scan1.plan.json`. */
export async function sampleNames() {
  const entries = await readdir(folder, { recursive: true });
  return entries.filter((name) => name.endsWith('.gz')).map((name) => name.slice(0, -'.gz'.length)).sort();
}

/** Returns a sample as `terraform show -json` wrote it. */
export async function sample(name) {
  return (await promisify(gunzip)(await readFile(join(folder, `${name}.gz`)))).toString();
}

export const expected = JSON.parse(await readFile(join(folder, 'expected.json'), 'utf8'));

/** Texts that occur in the secrets of the samples and nowhere else. */
export const secretLiterals = [
  'hunter2',
  's3cr3t-expected-password',
  'rotated-by-hand',
  'changed-in-the-console',
  'user-data-secret',
  'export TOKEN=',
  'leaked-',
  'tok-0123456789-in-a-tag',
  'list-element-secret',
  'whole-object-secret',
  'schema-marked-literal-password',
];
