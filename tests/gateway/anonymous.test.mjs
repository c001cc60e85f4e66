// Clients without a token cause little work and few log lines.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import WebSocket from 'ws';

import { eventually } from '../lib/waiting.mjs';
import { BEHIND_PROXY, Gateway, fromElsewhere } from './gateway.mjs';

let gateway;
let startup = 0;
before(async () => {
  gateway = await Gateway.start({ ...BEHIND_PROXY, RUST_LOG: 'info' });
  startup = gateway.process.log.split('\n').length - 1;
});
after(async () => assert.equal(await gateway.stop(), 0));

/** Returns the log lines since the start without the request lines, of which there is one per connection. */
const lines = () =>
  gateway.process.log
    .split('\n')
    .slice(startup, -1)
    .filter((line) => !line.includes('http::observe'))
    .map((line) => JSON.parse(line));

const ENDED = 'connection ended';
const ended = () => lines().filter(({ message }) => message === ENDED);

/**
 * Checks that all lines are samples: of each kind, at most one in ten seconds, however long the test takes. The
 * refusals of each code are a kind.
 */
function assertSampled() {
  const last = {};
  for (const { message, code, timestamp } of lines()) {
    const kind = message === ENDED ? message : `${message} ${code}`;
    const gap = Date.parse(timestamp) - (last[kind] ?? 0);
    // The time of a line is taken a moment after the decision to write it.
    assert.ok(gap > 9_000, `${gap} ms between two lines: ${kind}`);
    last[kind] = Date.parse(timestamp);
  }
}

let opened = 0;
async function open(path, options) {
  const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}${path}`, options);
  socket.closed = new Promise((resolve) => socket.once('close', resolve));
  await once(socket, 'open');
  opened += 1;
  // The gateway may reset a connection that sends on after its end.
  socket.on('error', () => {});
  return socket;
}

const SOCKET_IO = '/socket.io/?EIO=4&transport=websocket';

test('forty thousand joins without a token on one socket get one refusal and few log lines (s65)', async () => {
  const socket = await open(SOCKET_IO);
  const heard = [];
  socket.on('message', (text) => heard.push(text.toString()));
  for (let n = 0; n < 40_000; n += 1) socket.send('40');
  await socket.closed;
  // A reset can overtake the refusal and the close code, but not the line of the gateway.
  const [{ code }] = await eventually('the line of the connection', () => ended().length > 0 && ended());
  assert.equal(code, 4401);
  assert.ok(heard.filter((text) => text.startsWith('44')).length <= 1, heard.slice(0, 5).join());
  const refusals = await gateway.metric('ws_auth_failures_total{reason="MISSING_TOKEN"} ');
  assert.ok(refusals === 1 || refusals === 2, `${refusals} refusals`);
  assertSampled();
});

test('clients that reconnect again and again without a token cause few log lines (s65)', async () => {
  const ends = {
    'bad frames': async () => {
      const socket = await open(SOCKET_IO);
      socket.send('nonsense');
      return socket;
    },
    'bad messages on /ws': async () => {
      const socket = await open('/ws');
      socket.send('nonsense');
      return socket;
    },
    'auth messages on /ws': async () => {
      const socket = await open('/ws', { headers: fromElsewhere() });
      for (let n = 0; n < 50; n += 1) socket.send(JSON.stringify({ type: 'auth', token: 'nonsense' }));
      return socket;
    },
    'a reconnect loop': async () => {
      const socket = await open(SOCKET_IO);
      socket.send('40');
      socket.close();
      return socket;
    },
  };
  for (let round = 0; round < 100; round += 1) {
    await Promise.all(Object.values(ends).map(async (end) => (await end()).closed));
  }
  const counted = await gateway.metric('ws_auth_failures_total{reason="INVALID_TOKEN"} ');
  assert.ok(counted >= 50, 'each refusal is counted all the same');
  assertSampled();
});

test('a sampled line has the number of omitted lines (s65)', async () => {
  await eventually('a line with a count', async () => {
    const socket = await open('/ws');
    socket.send('nonsense');
    await socket.closed;
    return ended().at(-1).left_out > 0;
  });
  const counted = ended().reduce((sum, { left_out: omitted }) => sum + omitted + 1, 0);
  // The line of the newest connection may follow.
  assert.ok([opened - 1, opened].includes(counted), `${counted} of ${opened} connections`);
  assertSampled();
});
