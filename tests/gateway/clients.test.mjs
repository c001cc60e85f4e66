// Clients of other versions and vendors: connect, send requests and binary, reconnect, resume, be refused.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';

import { io as newest } from 'socket.io-client';
import { io as v31 } from 'socket.io-client-3.1';
import { io as v40 } from 'socket.io-client-4.0';
import { io as v43 } from 'socket.io-client-4.3';
import { io as v46 } from 'socket.io-client-4.6';
import WebSocket from 'ws';

import { eventually } from '../lib/waiting.mjs';
import { Gateway, inSeconds } from './gateway.mjs';

let gateway;
before(async () => (gateway = await Gateway.start()));
after(async () => assert.equal(await gateway.stop(), 0));

const VERSIONS = { 3.1: v31, '4.0': v40, 4.3: v43, 4.6: v46, newest };
// Version 4.6 introduced connection state recovery.
const RECOVERS = ['4.6', 'newest'];

for (const [version, io] of Object.entries(VERSIONS)) {
  for (const transports of [['polling', 'websocket'], ['polling'], ['websocket']]) {
    describe(`socket.io-client ${version}, ${transports}`, () => {
      const once = (socket, name) => new Promise((resolve) => socket.once(name, (...args) => resolve(args)));
      const ask = (socket, ...args) => new Promise((resolve) => socket.emit(...args, resolve));

      test('it connects, sends requests and binary, reconnects, and is refused', async () => {
        const token = gateway.token('alice');
        const options = { forceNew: true, transports, reconnection: false, auth: { token } };
        const socket = io(gateway.url, options);
        const [authorized] = await once(socket, 'connection.authorized');
        assert.equal(authorized.sessionId, socket.id);
        assert.deepEqual(await ask(socket, 'subscribe:drifts'), { success: true, data: { room: 'drifts' } });
        const heard = [];
        socket.on('drift:updated', (body) => heard.push(body.id));
        await gateway.append('drift:updated', { id: 'd1' });
        await eventually('an event', () => heard.length === 1);
        const answer = await ask(socket, 'upload', { data: Buffer.alloc(1_000, 0xa5) });
        assert.equal(answer.error.code, 'UNKNOWN_EVENT');

        const id = socket.id;
        const left = once(socket, 'disconnect');
        socket.io.engine.close();
        await left;
        await gateway.append('drift:updated', { id: 'd2' });
        const back = once(socket, 'connection.authorized');
        socket.connect();
        await back;
        if (RECOVERS.includes(version)) {
          assert.equal(socket.recovered, true);
          assert.equal(socket.id, id);
          await eventually('the missed event', () => heard.length === 2);
          assert.deepEqual(heard, ['d1', 'd2']);
        } else {
          assert.notEqual(socket.id, id);
          assert.deepEqual(heard, ['d1'], 'the new session has not subscribed');
        }
        socket.close();

        const expired = gateway.token('alice', { exp: inSeconds(-60) });
        const refused = io(gateway.url, { ...options, auth: { token: expired } });
        const [error] = await once(refused, 'connect_error');
        assert.equal(error.data.code, 'TOKEN_EXPIRED');
        refused.close();
      });
    });
  }
}

describe('a plain WebSocket', () => {
  async function open(token) {
    const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/ws`, ['driftsentry.v1', `bearer.${token}`]);
    const heard = [];
    socket.on('message', (text) => heard.push(JSON.parse(text)));
    const closed = new Promise((resolve) => socket.once('close', resolve));
    const next = (type) => eventually(type, () => heard.find((message) => message.type === type));
    return { socket, heard, closed, next, send: (message) => socket.send(JSON.stringify(message)) };
  }

  test('it connects, sends requests, reconnects, resumes, and is refused', async () => {
    const token = gateway.token('alice');
    const first = await open(token);
    const { payload } = await first.next('connection.authorized');
    first.send({ type: 'subscribe', room: 'drifts', id: 1 });
    assert.equal((await first.next('ack')).success, true);
    await gateway.append('drift:updated', { id: 'd1' });
    const { epoch, seq } = await first.next('drift:updated');
    first.socket.terminate();
    await first.closed;
    await gateway.append('drift:updated', { id: 'd2' });
    const second = await open(token);
    await second.next('connection.authorized');
    second.send({ type: 'resume', epoch, seq, sessionId: payload.sessionId, id: 2 });
    assert.equal((await second.next('drift:updated')).payload.id, 'd2');
    assert.equal((await second.next('ack')).data.recovered, true);
    second.socket.send(Buffer.from([1]));
    assert.equal(await second.closed, 4400, 'binary is not spoken here');
    assert.equal(await (await open('nonsense')).closed, 4401);
  });
});

describe('bytes on a TCP connection', () => {
  /** Opens a TCP connection. `send` writes, and `until` waits until the received text matches. */
  function line() {
    const { hostname, port } = new URL(gateway.url);
    const socket = connect(Number(port), hostname);
    const state = { heard: '' };
    socket.on('data', (data) => (state.heard += data.toString('latin1')));
    const until = (pattern) => eventually(String(pattern), () => state.heard.match(pattern));
    return { until, send: (data) => socket.write(data), end: () => socket.destroy() };
  }

  /** Builds a masked client frame. */
  function frame(opcode, text) {
    const payload = Buffer.from(text);
    const mask = Buffer.from([1, 2, 3, 4]);
    const length = payload.length < 126 ? [0x80 | payload.length] : [0x80 | 126, payload.length >> 8, payload.length & 255];
    return Buffer.concat([Buffer.from([0x80 | opcode, ...length]), mask, payload.map((byte, at) => byte ^ mask[at % 4])]);
  }

  const upgrade = (path) =>
    `GET ${path} HTTP/1.1\r\nHost: gateway\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

  test('a hand-written WebSocket connects, sends fragmented requests and binary, disconnects, and is refused', async () => {
    const { until, send, end } = line();
    send(upgrade('/socket.io/?EIO=4&transport=websocket'));
    await until(/Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/i);
    await until(/"sid":"[^"]+"/);
    const join = frame(1, `40${JSON.stringify({ token: gateway.token('alice') })}`);
    for (const byte of join) send(Buffer.from([byte]));
    await until(/connection\.authorized/);
    send(Buffer.concat([frame(1, '421["subscribe:drifts"]'), frame(9, 'ping')]));
    await until(/431\[\{.*"success":true/);
    await until(/\u008a\u0004ping/);
    send(Buffer.concat([frame(1, '451-2["upload",{"_placeholder":true,"num":0}]'), frame(2, 'bytes')]));
    await until(/432\[.*UNKNOWN_EVENT/);
    send(frame(8, ''));
    await until(/\u0088\u0002\u0003\u00e8/);
    end();

    const refused = line();
    refused.send(upgrade('/ws'));
    refused.send(frame(1, JSON.stringify({ type: 'auth', token: 'nonsense' })));
    // 4401, as in a close frame.
    await refused.until(/\u0088.\u0011\u0031unauthorized/);
    refused.end();
  });

  test('hand-written polling on one connection connects and sends requests', async () => {
    const { until, send, end } = line();
    const path = '/socket.io/?EIO=4&transport=polling';
    send(`GET ${path} HTTP/1.1\r\nHost: gateway\r\n\r\n`);
    const [, sid] = await until(/"sid":"([^"]+)"/);
    const post = (body) =>
      send(`POST ${path}&sid=${sid} HTTP/1.1\r\nHost: gateway\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    post(`40${JSON.stringify({ token: gateway.token('alice') })}`);
    send(`GET ${path}&sid=${sid} HTTP/1.1\r\nHost: gateway\r\n\r\n`);
    await until(/40\{"sid"/);
    post('421["subscribe:drifts"]');
    send(`GET ${path}&sid=${sid} HTTP/1.1\r\nHost: gateway\r\n\r\n`);
    await until(/431\[\{.*"success":true/);
    end();
  });
});
