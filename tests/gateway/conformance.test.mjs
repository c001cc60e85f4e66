// The server for the public test suites. The packages of the clients do not contain their tests, so this file
// checks only what those tests need. services/ws-gateway/examples/conformance.rs describes how to run the suites.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { io } from 'socket.io-client';

import { Process, repository } from '../lib/process.mjs';
import { freePort } from '../lib/waiting.mjs';

describe('the server of the client suite', () => {
  let port, server;
  const connect = (path = '/', options = {}) => io(`http://127.0.0.1:${port}${path}`, { forceNew: true, ...options });

  before(async () => {
    port = await freePort();
    server = new Process(`${repository}/target/debug/examples/conformance`, ['client'], { PORT: String(port) });
    await server.ready(`http://127.0.0.1:${port}`);
  });
  after(() => server?.stop());

  test('it listens on PORT and responds to its events', async () => {
    const socket = connect();
    await once(socket, 'connect');
    const ask = (...args) => new Promise((resolve) => socket.emit(...args, resolve));
    const hear = async (send, name) => {
      const heard = once(socket, name);
      socket.emit(...send);
      return heard;
    };
    assert.deepEqual(await hear(['hi'], 'hi'), []);
    assert.equal(await ask('echo', 123), 123);
    assert.equal(await ask('getId'), socket.id);
    assert.deepEqual(await hear(['false'], 'false'), [false]);
    assert.deepEqual(await hear(['getUtf8'], 'takeUtf8'), ['てすと']);
    assert.equal((await hear(['doge'], 'doge'))[0].toString(), 'asdfasdf');
    assert.deepEqual(await hear(['buffa', Buffer.from('x')], 'buffack'), []);
    assert.deepEqual(await hear(['jsonbuff', { message: Buffer.from('x') }], 'jsonbuff-ack'), []);
    assert.match(await ask('getAckDate', {}), /^\d{4}-\d\d-\d\dT/);
    socket.on('ack', (fn) => fn(5, { test: true }));
    assert.deepEqual(await hear(['ack'], 'got it'), []);
    socket.close();
  });

  test('it accepts and refuses clients by namespace and query', async () => {
    for (const path of ['/foo', '/valid', '/asd', '/timeout_socket']) {
      const socket = connect(path);
      await once(socket, 'connect');
      socket.close();
    }
    const refusals = {
      '/no': ['Auth failed (custom namespace)'],
      '/nowhere': ['Invalid namespace'],
      '/?fail=true': ['Auth failed (main namespace)'],
    };
    for (const [path, [message]] of Object.entries(refusals)) {
      const socket = connect(path);
      const [error] = await once(socket, 'connect_error');
      assert.equal(error.message, message);
      socket.close();
    }
    const socket = connect('/abc', { query: { doge: 'wow' }, auth: { token: 'abcd' } });
    const [handshake] = await once(socket, 'handshake');
    assert.deepEqual([handshake.query.doge, handshake.auth], ['wow', { token: 'abcd' }]);
    socket.close();
  });
});
