// .env.example says what the binaries really read.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { binary, repository } from '../lib/process.mjs';

const BINARIES = ['driftsentry', 'auth-service', 'drift-service', 'ws-gateway'];
/** What `--help` does not show: names of the replaced stack that stand in for others, and the log's. */
const NOT_SHOWN = ['NODE_ENV', 'REDIS_HOST', 'REDIS_PORT', 'REDIS_PASSWORD', 'RUST_LOG', 'LOG_FORMAT'];
/** Their defaults differ from binary to binary. */
const WITHOUT_DEFAULT = ['PORT', 'DATABASE_URL', 'REDIS_URL'];

/** What `--help` shows: variable → default, `undefined` if it has none. */
function shown(name) {
  const help = execFileSync(binary(name), ['--help'], { env: {}, encoding: 'utf8' });
  const [, ...options] = help.split('[env: ');
  return options.map((text) => [text.match(/^\w+/)[0], text.match(/\[default: (.*)\]/)?.[1]]);
}

test('.env.example lists the variables that the binaries read, with their defaults', () => {
  const lines = readFileSync(`${repository}/.env.example`, 'utf8').matchAll(/^#?([A-Z_]+)=(.*)$/gm);
  const listed = new Map([...lines].map(([, name, value]) => [name, value]));
  const read = new Map(BINARIES.flatMap(shown));

  const names = (map) => [...map.keys()].filter((name) => !NOT_SHOWN.includes(name)).sort();
  assert.deepEqual(names(listed), names(read));
  for (const [name, value] of read) {
    if (value !== undefined && !WITHOUT_DEFAULT.includes(name)) assert.equal(listed.get(name), value, name);
  }
});
