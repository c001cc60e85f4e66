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

// Below the ports that the kernel gives to outgoing connections, so that none of them can take a port before its server.
const [FIRST_PORT, PORTS] = [10_000, 20_000];
let tried = Math.floor(Math.random() * PORTS);

/** Returns a port on which nothing listens, and never the same one twice. */
export async function freePort() {
  for (;;) {
    const port = FIRST_PORT + (tried++ % PORTS);
    const server = createServer().listen(port, '127.0.0.1');
    const isFree = await Promise.race([once(server, 'listening'), once(server, 'error')]).then(
      () => server.listening,
      () => false,
    );
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}
