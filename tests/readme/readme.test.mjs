// Runs the commands of the README in one shell, like a newcomer, against the debug binary on a free port.

import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';

import { allInOne } from '../lib/deployments.mjs';
import { Process, repository } from '../lib/process.mjs';

/** Returns the shell blocks under a heading. */
function blocks(text, heading) {
  const [, section] = text.split(`\n## ${heading}\n`);
  return [...section.split('\n## ')[0].matchAll(/```sh\n([^]*?)```/g)].map(([, block]) => block);
}

describe('the README', () => {
  let app, folder, shell, session, socketSession;

  before(async () => {
    app = await allInOne();
    // In tests/, so that the example finds the client in tests/node_modules.
    folder = await mkdtemp(`${repository}/tests/.readme-`);
    await copyFile(`${repository}/examples/listen.mjs`, `${folder}/listen.mjs`);
    const [url] = app.socketOrigins;
    const readme = await readFile(`${repository}/README.md`, 'utf8');
    const adapted = (block) =>
      block
        .replaceAll('http://localhost:3001', url)
        .replace(/(?<=[ @])plan\.json\b/g, `${folder}/plan.json`)
        .replace('terraform show -json plan.out |', `cat ${folder}/plan.json |`)
        .replace('target/release/driftsentry', `DRIFTSENTRY_URL=${url} target/debug/driftsentry`)
        .replace('npm install --no-save socket.io-client', ':')
        .replace('node examples/listen.mjs', `URL=${url} node ${folder}/listen.mjs`);
    session = blocks(readme, 'A first session').map(adapted);
    socketSession = blocks(readme, 'A socket session').map(adapted);
    shell = new Process('bash', ['-s']);
    shell.say(`cd ${repository}`);
  });
  after(async () => {
    // A client that survived the shell would keep its output open.
    if (shell) await paste('kill $(jobs -p)');
    await shell?.stop();
    await app?.stop();
    if (folder) await rm(folder, { recursive: true });
  });

  let pasted = 0;
  /** Pastes a block into the shell, and returns its output after the last command has ended, with the exit code. */
  async function paste(block) {
    const before = shell.log.length;
    const end = new RegExp(`--- ${++pasted} exit (\\d+)\\n`);
    shell.say(`${block}\necho "--- ${pasted} exit $?"`);
    const [, code] = await shell.until('the end of the block', () => shell.log.slice(before).match(end));
    return { output: shell.log.slice(before), code };
  }

  test('the blocks of a session ingest a plan, approve a drift, and listen to new drifts', async () => {
    const [approve, scan, ...others] = session;
    assert.deepEqual(others, []);
    const { output } = await paste(approve);
    assert.match(output, /"created":20/);
    assert.match(output, /"status":"approved"/);
    const scanned = await paste(scan);
    assert.match(scanned.output, /unchanged +20 /);
    assert.equal(scanned.code, '0', 'no drift is new');

    const [listen, send, ...rest] = socketSession;
    assert.deepEqual(rest, []);
    await paste(listen);
    await shell.until('listening', () => shell.log.includes('listening\n'));
    assert.match((await paste(send)).output, /"created":20/);
    const heard = () => [...shell.log.matchAll(/new \S+ (critical|warning|info)$/gm)].length;
    await shell.until('the new drifts', () => heard() >= 20);
    assert.equal(heard(), 20);
  });
});
