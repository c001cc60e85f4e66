// The Java client of Socket.IO, which Android apps use. The tests replay bytes that the client sent. They run the
// client itself if a JDK and Maven are installed, and are reported as skipped otherwise (CONTRIBUTING.md).

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';

import { Process, repository } from '../lib/process.mjs';
import { temporaryFolder } from '../lib/servers.mjs';
import { eventually } from '../lib/waiting.mjs';
import { Gateway, inSeconds } from './gateway.mjs';

const run = promisify(execFile);
const folder = `${repository}/tests/gateway/java`;
const missing = await Promise.all([run('mvn', ['--version']), run('javac', ['-version'])]).then(
  () => false,
  () => 'needs mvn and javac',
);

let gateway;
before(async () => (gateway = await Gateway.start()));
after(async () => assert.equal(await gateway.stop(), 0));

/** Opens a polling session with a socket in `/`, for raw bytes. */
async function pollingSession() {
  const url = `${gateway.url}/socket.io/?EIO=4&transport=polling`;
  const open = await (await fetch(url)).text();
  const session = `${url}&sid=${JSON.parse(open.slice(1)).sid}`;
  const post = async (body) => assert.equal(await (await fetch(session, { method: 'POST', body })).text(), 'ok');
  const heard = async (what) => {
    let text = '';
    await eventually(what, async () => (text += await (await fetch(session)).text()).includes(what) && text);
    return text;
  };
  await post(`40${JSON.stringify({ token: gateway.token('alice') })}`);
  await heard('connection.authorized');
  return { post, heard };
}

describe('the bytes of the Java client', () => {
  // The format in which version 2.1.2 sends 200 bytes of 0xa5 by polling: base64 in lines of 76 characters.
  const line = 'paWl'.repeat(19);
  const broken = `b${line}\n${line}\n${line}\n${'paWl'.repeat(9)}paU=\n`;

  test('base64 with line breaks is read', async () => {
    const { post, heard } = await pollingSession();
    await post(`451-7["upload",{"_placeholder":true,"num":0}]\u001e${broken}`);
    assert.match(await heard('437['), /UNKNOWN_EVENT/);
  });

  test('base64 without padding is read', async () => {
    const { post, heard } = await pollingSession();
    await post('451-8["upload",{"_placeholder":true,"num":0}]\u001ebpaU');
    assert.match(await heard('438['), /UNKNOWN_EVENT/);
  });
});

class JavaClient {
  #process;
  #seen = 0;

  constructor(libraries) {
    this.#process = new Process('java', ['-cp', `${libraries}/*`, `${folder}/Client.java`], { HOME: libraries });
  }

  /** Returns the next event of a kind. */
  async next(what) {
    const { line, index } = await this.#process.until(what, () => {
      const lines = this.#process.log.split('\n').slice(0, -1);
      const index = lines.findIndex((line, at) => at >= this.#seen && line.startsWith('{') && JSON.parse(line).what === what);
      return index >= 0 && { line: lines[index], index };
    });
    this.#seen = index + 1;
    return JSON.parse(line).value;
  }

  say(command) {
    this.#process.say(JSON.stringify(command));
  }

  stop() {
    return this.#process.stop();
  }
}

describe('the Java client', () => {
  let libraries;
  before(async () => {
    if (missing) return;
    libraries = await temporaryFolder();
    const goal = ['-q', '-B', '-f', `${folder}/pom.xml`, 'dependency:copy-dependencies'];
    await run('mvn', [...goal, `-DoutputDirectory=${libraries.path}`]);
  });
  after(() => libraries?.remove());

  for (const transport of ['', 'polling', 'websocket']) {
    const name = `with ${transport || 'the default transports'}, it connects, asks, uploads, reconnects, and is refused`;
    test(name, { skip: missing }, async (t) => {
      const client = new JavaClient(libraries.path);
      t.after(() => client.stop());
      const token = gateway.token('alice');
      client.say({ do: 'connect', url: gateway.url, token, transport });
      const id = await client.next('connected');
      assert.equal((await client.next('connection.authorized')).sessionId, id);
      client.say({ do: 'ask', event: 'subscribe:drifts' });
      assert.deepEqual(await client.next('answer'), { success: true, data: { room: 'drifts' } });
      await gateway.publish('drift:updated', { id: 'd1' });
      assert.deepEqual(await client.next('drift:updated'), { id: 'd1' });
      for (const bytes of [1, 200, 20_000]) {
        client.say({ do: 'upload', bytes });
        assert.equal((await client.next('answer')).error.code, 'UNKNOWN_EVENT');
      }
      client.say({ do: 'break' });
      await client.next('disconnected');
      await client.next('connection.authorized');
      client.say({ do: 'connect', url: gateway.url, token: gateway.token('alice', { exp: inSeconds(-60) }), transport });
      assert.equal((await client.next('refused')).data.code, 'TOKEN_EXPIRED');
    });
  }
});
