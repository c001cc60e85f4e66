import { createServer } from 'node:net';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';

export const LIMIT_MS = 20_000;

/** Repeats `attempt` until it returns a truthy value, and returns this value; `what` may be a function. */
export async function eventually(what, attempt, limitMs = LIMIT_MS) {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const value = await attempt();
    if (value) return value;
    if (Date.now() > deadline) {
      throw new Error(`waited ${limitMs} ms in vain for ${typeof what === 'function' ? what() : what}`);
    }
    await pause(20);
  }
}

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
