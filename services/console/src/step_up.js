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
export function stepUp() {
  asking ??= ask().finally(() => (asking = null));
  return asking;
}

async function ask() {
  const [{ methods, recoveryCodes }] = await Promise.all([factors(), needStyles('people', 'factors')]);
  const closed = new AbortController();
  const isPassword = methods.includes('password');
  const stayed = await openDialog('Confirm that it is you', (close) => [
    h(
      'p',
      {},
      isPassword ? 'Enter your password to continue.' : 'Show a second factor to continue.',
    ),
    isPassword && passwordOwner(session.user().email),
    provePart({
      ways: recoveryCodes?.left > 0 ? [...methods, 'recovery'] : methods,
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
      if (['VALIDATION_ERROR', 'RATE_LIMITED'].includes(error.code)) throw error;
      // No response. The proof may have arrived, and works only once.
      const { strength } = await factors();
      if (new Date(strength.freshUntil) > Date.now()) return;
    }
  }
  await post(STEP_UP, proof);
}

const factors = async () => (await get('/api/auth/factors')).data;
