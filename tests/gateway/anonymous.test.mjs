// Clients without a token cause little work and few log lines.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import WebSocket from 'ws';

import { eventually } from '../lib/waiting.mjs';
import { BEHIND_PROXY, Gateway, fromElsewhere } from './gateway.mjs';

let gateway;
before(async () => (gateway = await Gateway.start({ ...BEHIND_PROXY, RUST_LOG: 'info' })));
after(async () => assert.equal(await gateway.stop(), 0));

/** Returns the log lines of the gateway without the request lines, of which there is one per connection. */
const lines = () => gateway.process.log.split('\n').filter((line) => line && !line.includes('http::observe'));

async function open(path, options) {
  const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}${path}`, options);
  socket.on('error', () => {});
  await once(socket, 'open');
  return socket;
}

test('forty thousand joins without a token on one socket get one refusal and few log lines (s65)', async () => {
  const before = lines().length;
  const socket = await open('/socket.io/?EIO=4&transport=websocket');
  const heard = [];
  socket.on('message', (text) => heard.push(text.toString()));
  for (let n = 0; n < 40_000; n += 1) socket.send('40');
  const [code] = await once(socket, 'close');
  assert.equal(code, 4401);
  assert.equal(heard.filter((text) => text.startsWith('44')).length, 1);
  assert.ok(lines().length - before <= 5, lines().slice(before).join('\n'));
});

test('clients that reconnect again and again without a token cause few log lines (s65)', async () => {
  const before = lines().length;
  const ends = {
    'bad frames': async () => {
      const socket = await open('/socket.io/?EIO=4&transport=websocket');
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
      const socket = await open('/socket.io/?EIO=4&transport=websocket');
      socket.send('40');
      socket.close();
      return socket;
    },
  };
  for (let round = 0; round < 100; round += 1) {
    await Promise.all(Object.values(ends).map(async (end) => once(await end(), 'close')));
  }
  const written = lines().slice(before);
  assert.ok(written.length <= 20, `${written.length} lines for 400 connections:\n${written.slice(0, 30).join('\n')}`);
  const counted = await gateway.metric('ws_auth_failures_total{reason="INVALID_TOKEN"} ');
  assert.ok(counted >= 50, 'each refusal is counted all the same');
});

test('a sampled line has the number of omitted lines (s65)', async () => {
  await eventually(
    'a line with a count',
    async () => {
      const socket = await open('/ws');
      socket.send('nonsense');
      await once(socket, 'close');
      return lines().some((line) => /"left_out":[1-9]/.test(line));
    },
    20_000,
  );
});
