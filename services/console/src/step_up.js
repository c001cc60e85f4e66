// The step-up: a user who is logged in proves a factor again, for requests that need a fresh one.

import { get, post } from './api.js';
import { openDialog } from './dialog.js';
import { h } from './dom.js';
import { cancel, passwordOwner } from './fields.js';
import * as session from './session.js';
import * as socket from './socket.js';
import { needStyles } from './styles.js';
import { provePart } from './views/factors/prove.js';

const STEP_UP = '/api/auth/step-up';
let asking = null;

/** Asks for a factor. Resolves with true once the session has stepped up. Concurrent requests share one dialog. */
export function stepUp(methods) {
  asking ??= ask(methods).finally(() => (asking = null));
  return asking;
}

async function ask(methods) {
  await needStyles('people', 'factors');
  const closed = new AbortController();
  const isPassword = methods.includes('password');
  const stayed = await openDialog('Confirm that it is you', (close) => [
    h(
      'p',
      {},
      isPassword
        ? 'Enter your password again to continue.'
        : 'Prove your second factor again to continue.',
    ),
    isPassword && passwordOwner(session.user().email),
    provePart({
      ways: isPassword ? methods : [...methods, 'recovery'],
      signal: closed.signal,
      action: 'Confirm',
      dialog: true,
      beside: cancel(close),
      options: async () => (await post(`${STEP_UP}/options`)).data,
      async send(proof) {
        await prove(proof);
        close(true);
      },
    }),
  ]);
  closed.abort();
  return stayed === true;
}

/** Sends the proof on the open socket if the socket takes it, else over HTTP. */
async function prove(proof) {
  if (socket.connection().name === 'live' && (proof.code || proof.assertion)) {
    try {
      await socket.stepUp(proof);
      return;
    } catch (error) {
      if (error.code) throw error;
      // The connection broke. The proof may have arrived, and works only once.
      if (await isFresh()) return;
    }
  }
  await post(STEP_UP, proof);
}

async function isFresh() {
  const { data } = await get('/api/auth/factors');
  return new Date(data.strength.freshUntil) > Date.now();
}
