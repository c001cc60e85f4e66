// Runs the commands of the README in one shell, like a newcomer, against the debug binary on a free port.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';

import { allInOne } from '../lib/deployments.mjs';
import { repository } from '../lib/process.mjs';

/** Returns the shell blocks under a heading. */
function blocks(text, heading) {
  const [, section] = text.split(`\n## ${heading}\n`);
  return [...section.split('\n## ')[0].matchAll(/```sh\n([^]*?)```/g)].map(([, block]) => block);
}

describe('the README', () => {
  let app, folder, output;

  before(async () => {
    app = await allInOne();
    // In tests/, so that the example finds the client in tests/node_modules.
    folder = await mkdtemp(`${repository}/tests/.readme-`);
    await copyFile(`${repository}/examples/listen.mjs`, `${folder}/listen.mjs`);
    const [url] = app.socketOrigins;
    const readme = await readFile(`${repository}/README.md`, 'utf8');
    const pasted = [...blocks(readme, 'A first session'), ...blocks(readme, 'A socket session')].join('\necho; echo ---\n');
    const script = pasted
      .replaceAll('http://localhost:3001', url)
      .replace(/(?<=[ @])plan\.json\b/g, `${folder}/plan.json`)
      .replace('terraform show -json plan.out |', `cat ${folder}/plan.json |`)
      .replace('target/release/driftsentry', `DRIFTSENTRY_URL=${url} target/debug/driftsentry`)
      .replace('npm install --no-save socket.io-client', ':')
      .replace('node examples/listen.mjs', `URL=${url} node ${folder}/listen.mjs`);
    output = execFileSync('bash', ['-c', script], { cwd: repository, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  });
  after(async () => {
    await app?.stop();
    if (folder) await rm(folder, { recursive: true });
  });

  test('a first session ingests a plan, approves a drift, and scans again as CI does', () => {
    const [first, scanned] = output.split('---');
    assert.match(first, /"created":20/);
    assert.match(first, /"status":"approved"/);
    assert.match(scanned, /20/);
  });

  test('a socket session shows new drifts as they arrive', () => {
    const [, , listened] = output.split('---');
    assert.match(listened, /listening/);
    assert.equal([...listened.matchAll(/new \S+ (critical|warning|info)\n/g)].length, 20);
  });
});
