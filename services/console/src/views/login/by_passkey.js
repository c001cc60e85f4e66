// Logs in with a passkey alone: after a press on a button, or from the suggestions of the email field.

import { form } from '../../fields.js';
import { request } from '../../http.js';
import * as passkeys from '../../passkeys.js';
import { logIn } from './second_factor.js';

const LOGIN = '/api/auth/passkeys/login';

const options = async () => (await request('POST', `${LOGIN}/options`, { body: {} })).data;

/** Returns the button, and waits for a suggestion that the user chooses. */
export function passkeyForm(page) {
  const { signal } = page;
  let suggested = null;
  let waiting = new AbortController();
  const entry = form([], {
    action: 'Log in with a passkey',
    tone: 'button-wide',
    async send() {
      const chosen = suggested;
      suggested = null;
      waiting.abort();
      try {
        const assertion = chosen ?? (await passkeys.usePasskey(await options(), signal));
        await logIn(page, LOGIN, { assertion });
      } catch (error) {
        suggest();
        throw error;
      }
    },
  });
  async function suggest() {
    waiting = new AbortController();
    const own = AbortSignal.any([signal, waiting.signal]);
    // A suggestion must not take the place of a request that the user has begun in the meantime.
    const fresh = async () => {
      const asked = await options();
      return entry.isConnected && !own.aborted ? asked : null;
    };
    try {
      if (!(await passkeys.isConditional())) return;
      suggested = await passkeys.suggestPasskeys(fresh, own);
      if (suggested && entry.isConnected) entry.requestSubmit();
    } catch {
      // The button works without suggestions.
    }
  }
  suggest();
  return entry;
}
