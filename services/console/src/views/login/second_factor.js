// The second step of a login: proves a factor, or sets up the first one.

import { h } from '../../dom.js';
import { plural } from '../../format.js';
import { request } from '../../http.js';
import * as session from '../../session.js';
import { needStyles } from '../../styles.js';
import { provePart } from '../factors/prove.js';
import { backLine, done, fillCard } from '../public/card.js';
import { enrol } from './enrol.js';

const LOGIN = '/api/auth/login/mfa';

/**
 * Sends a request that logs in. If the account needs a second step, shows it in the card. `page` is `{place, settings,
 * signal, back, finish}`: `back()` shows the first step again, and `finish()` is called once the user is logged in.
 * Returns the response to the request.
 */
export async function logIn(page, path, body) {
  const data = await session.logIn(path, body);
  if (data.mfaRequired) await showSecondStep(page, data);
  else if (data.accessToken) page.finish?.();
  return data;
}

async function showSecondStep(page, { mfaToken, factors, enrolment }) {
  await needStyles('people', 'factors');
  if (page.signal.aborted) return;
  const send = async (proof) => {
    try {
      const data = await session.logIn(LOGIN, { mfaToken, ...proof });
      page.finish?.();
      return data;
    } catch (error) {
      // The token of the first step has expired.
      if (error.status !== 401) throw error;
      tooLate(page);
      return null;
    }
  };
  if (enrolment) enrol(page, { mfaToken, send, late: () => tooLate(page) });
  else prove(page, { mfaToken, factors, send });
}

function prove({ place, settings, signal, back }, { mfaToken, factors, send }) {
  const days = settings.trustedDeviceDays;
  const trust = h('input', { type: 'checkbox' });
  fillCard(
    place,
    'Second step',
    provePart({
      ways: factors,
      signal,
      above: days > 0 && h('label', { class: 'check' }, trust, `Trust this device for ${plural(days, 'day')}`),
      action: 'Log in',
      tone: 'button-primary button-wide',
      options: async () => (await request('POST', `${LOGIN}/options`, { body: { mfaToken } })).data,
      send: (proof) => send({ ...proof, ...(trust.checked && { trustDevice: true }) }),
    }),
    backLine(back),
  );
  place.querySelector('input:not([type=checkbox])')?.focus();
}

const tooLate = ({ place, back }) =>
  done(
    place,
    'The login took too long',
    'Start again with the first step.',
    h('button', { class: 'button button-primary button-wide', on: { click: () => back() } }, 'Log in again'),
  );
