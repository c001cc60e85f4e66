// Logs in with a link or a code from a mail.

import { h } from '../../dom.js';
import { ask } from '../../proof_of_work.js';
import * as session from '../../session.js';
import { done, fillCard, lastLine, typed } from '../public/card.js';
import { checkMail } from '../public/check_mail.js';

const LOGIN = '/api/auth/login/email';

/** Sends the mail, and shows where to enter its code. */
export async function sendLink({ place, signal }, puzzle, back) {
  const { email } = typed;
  const asked = await ask(LOGIN, { email }, puzzle);
  if (signal.aborted) return;
  const content = checkMail({
    email,
    asked,
    signal,
    action: 'Log in',
    send: (proof) => session.logIn(`${LOGIN}/complete`, proof),
    again: (where) => ask(LOGIN, { email }, where),
    elsewhere: () => {
      const again = h(
        'button',
        { class: 'button button-primary button-wide', on: { click: () => back() } },
        'Log in here',
      );
      done(
        place,
        'Logged in elsewhere',
        'The link was used in another browser, which is logged in now.',
        again,
      );
    },
  });
  fillCard(place, 'Check your mail', content, backLine(back));
}

/** Leads back to the login form. */
export const backLine = (back) =>
  lastLine(
    h('button', { class: 'link-button', type: 'button', on: { click: () => back() } }, 'Back to the login'),
  );
