// Asks for the mail that resets a password, then takes its code and the new password.

import { h } from '../../dom.js';
import { form, newPassword, passwordOwner } from '../../fields.js';
import { request } from '../../http.js';
import { ask } from '../../proof_of_work.js';
import { buttonLink, card, done, emailField, fillCard, lastLine, toLogin, typed } from './card.js';
import { checkMail } from './check_mail.js';

const FORGOT = '/api/auth/password/forgot';

export function show(app, page, signal) {
  showForm(card(app, 'Forgot your password'), signal);
}

function showForm(place, signal) {
  const puzzle = h('div', {});
  const send = async (values) => {
    typed.email = values.email.trim();
    const asked = await ask(FORGOT, { email: typed.email }, puzzle);
    if (!signal.aborted) showCode(place, asked, signal);
  };
  fillCard(
    place,
    'Forgot your password?',
    h('p', { class: 'quiet' }, 'We send you a mail with a link to choose a new password.'),
    form([emailField(), puzzle], { action: 'Send mail', tone: 'button-primary button-wide', send }),
    lastLine(toLogin('Back to the login')),
  );
}

function showCode(place, asked, signal) {
  const { email } = typed;
  const content = checkMail({
    email,
    asked,
    signal,
    action: 'Set new password',
    fields: [passwordOwner(email), newPassword('newPassword')],
    async send(proof, { newPassword }) {
      const body = { ...proof, newPassword };
      await request('POST', '/api/auth/password/reset', { body });
      passwordChanged(place);
    },
    again: (puzzle) => ask(FORGOT, { email }, puzzle),
    correct: () => showForm(place, signal),
    elsewhere: () => passwordChanged(place),
  });
  fillCard(place, 'Check your mail', content, lastLine('There is no mail if no account has this address.'));
}

/** Shows the end of the flow, in this tab or after the link was used in another one. */
export function passwordChanged(place) {
  const text = 'Your password is changed, and all your sessions ended. You can log in now.';
  done(place, 'Password changed', text, buttonLink('overview', 'Log in'));
}
