// Messages about second factors that changed in another session of the user, which may belong to somebody else.

import { remove } from './api.js';
import { go } from './address.js';
import { explain } from './format.js';
import { onLive } from './live.js';
import { notify } from './notice.js';
import * as session from './session.js';

const FACTORS = { totp: 'An authenticator app', passkey: 'A passkey' };
const CHANGES = { added: 'added to', removed: 'removed from' };
const OTHERS = {
  replaced: 'The recovery codes of your account were replaced.',
  used: 'A recovery code of your account was used.',
  reset: 'An administrator reset the second factors of your account.',
};

/** Shows them until `signal` aborts. */
export function followFactors(signal) {
  onLive('auth:factor.changed', (events) => events.forEach(({ payload }) => ask(payload)), signal);
}

function ask({ userId, sessionId, change, factor }) {
  const own = session.user();
  if (!own || userId !== own.id || sessionId === own.sid) return;
  const text = OTHERS[change] ?? `${FACTORS[factor] ?? 'A second factor'} was ${CHANGES[change]} your account.`;
  const mine = { label: 'It was me', run: () => {} };
  const end = { label: 'End that session', run: () => endSession(sessionId) };
  notify(`${text} Was this you?`, { tone: 'error', lasting: true, actions: [mine, sessionId && end] });
}

async function endSession(id) {
  try {
    await remove(`/api/auth/sessions/${id}`);
    notify('Ended that session. Check your factors, and change your password.', {
      tone: 'info',
      lasting: true,
      action: { label: 'Check', run: () => go('/account/security') },
    });
  } catch (error) {
    notify(explain(error), { tone: 'error' });
  }
}
