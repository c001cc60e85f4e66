// Runs the commands of the README in one shell, like a newcomer, against the debug binary on a free port.

import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';

import { Process, repository } from '../lib/process.mjs';
import { freePort } from '../lib/waiting.mjs';

/** Returns the shell blocks under a heading. */
function blocks(text, heading) {
  const [, section] = text.split(`\n## ${heading}\n`);
  return [...section.split('\n## ')[0].matchAll(/```sh\n([^]*?)```/g)].map(([, block]) => block);
}

describe('the README', () => {
  let folder, shell, session, socketSession;

  before(async () => {
    // In tests/, so that the example finds the client in tests/node_modules.
    folder = await mkdtemp(`${repository}/tests/.readme-`);
    await copyFile(`${repository}/examples/listen.mjs`, `${folder}/listen.mjs`);
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    // The server ends with the shell, even if the shell is killed.
    const server = `setpriv --pdeathsig KILL -- env PORT=${port} DATA_DIR=${folder}/data BCRYPT_COST=4`;
    const readme = await readFile(`${repository}/README.md`, 'utf8');
    const adapted = (block) =>
      block
        .replaceAll('http://localhost:3001', url)
        .replace('cargo build --release', ':')
        .replace('target/release/driftsentry >', `${server} target/debug/driftsentry >${folder}/`)
        .replace('terraform show -json plan.out |', 'cat examples/plan.json |')
        .replace('target/release/driftsentry', `DRIFTSENTRY_URL=${url} target/debug/driftsentry`)
        .replace('npm install --no-save socket.io-client', ':')
        .replace('node examples/listen.mjs', `URL=${url} node ${folder}/listen.mjs`);
    session = blocks(readme, 'A first session').map(adapted);
    socketSession = blocks(readme, 'A socket session').map(adapted);
    shell = new Process('bash', ['-s']);
    shell.say(`cd ${repository}`);
  });
  after(async () => {
    // A program that survived the shell would keep its output open.
    if (shell?.running) await paste('kill $(jobs -p)');
    await shell?.stop();
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

  test('in one terminal, the blocks start a server, ingest a plan, approve a drift, and listen to new drifts', async () => {
    const [start, approve, scan, ...others] = session;
    assert.deepEqual(others, []);
    const started = await paste(start);
    assert.match(started.output, /"status":"ok"/);
    const { output } = await paste(approve);
    assert.match(output, /"created":20/);
    assert.match(output, /"status":"approved"/);
    const scanned = await paste(scan);
    assert.match(scanned.output, /unchanged +20 /);
    assert.equal(scanned.code, '0', 'no drift is new');

    const [listen, send, stop, ...rest] = socketSession;
    assert.deepEqual(rest, []);
    await paste(listen);
    await shell.until('listening', () => shell.log.includes('listening\n'));
    assert.match((await paste(send)).output, /"created":20/);
    const heard = () => [...shell.log.matchAll(/new \S+ (critical|warning|info)$/gm)].length;
    await shell.until('the new drifts', () => heard() >= 20);
    assert.equal(heard(), 20);
    const stopped = await paste(`${stop}\nwait`);
    assert.equal(stopped.code, '0');
  });
});
