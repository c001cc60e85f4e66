// Log in with a password, or with a link that the server sends. Shows the reason why a session ended.

import { configOrUsual } from '../config.js';
import { h } from '../dom.js';
import { form, inputField } from '../fields.js';
import { endReason } from '../format.js';
import * as session from '../session.js';
import { skeleton } from '../states.js';
import { needStyles } from '../styles.js';
import { mailboxLink } from './public/check_mail.js';
import { card, emailField, fillCard, lastLine, link, typed } from './public/card.js';
import { sendLink } from './login/by_link.js';
import { showSignUp } from './login/sign_up.js';

/** Shows the login form. `reason` says why the last session ended, if there was one. */
export async function showLogin(app, { reason, signal }) {
  const place = card(app, 'Log in');
  place.append(skeleton(3));
  const [settings] = await Promise.all([configOrUsual(), needStyles('people')]);
  if (!signal.aborted) showForm({ place, settings, signal, reason });
}

function showForm(page) {
  const { place, settings, reason } = page;
  const back = () => showForm({ ...page, reason: null });
  const byPassword = settings.loginMethods.includes('password');
  const byLink = settings.loginMethods.includes('email');
  const puzzle = h('div', {});
  const email = emailField({ id: 'login-email' });
  const input = email.querySelector('input');
  input.addEventListener('input', () => (typed.email = input.value.trim()));
  const password = inputField('Password', {
    id: 'login-password',
    name: 'password',
    type: 'password',
    autocomplete: 'current-password',
    required: true,
  });
  const linkForm = () =>
    form(byPassword ? [] : [email, puzzle], {
      action: 'Email me a login link',
      tone: byPassword ? 'button-wide' : 'button-primary button-wide',
      blame: () => input,
      async send() {
        if (!typed.email) throw new Error('Enter your email first.');
        await sendLink(page, puzzle, back);
      },
    });
  fillCard(
    place,
    'Log in',
    reason &&
      reason !== 'logout' &&
      h('p', { class: 'banner banner-warning', role: 'alert' }, endReason(reason)),
    reason === 'logout' && h('p', { class: 'banner', role: 'status' }, 'You are logged out.'),
    byPassword &&
      form([email, password, settings.mail && lastLine(link('forgot-password', 'Forgot password?'))], {
        action: 'Log in',
        tone: 'button-primary button-wide',
        async send(values) {
          await session.logIn('/api/auth/login', { ...values, email: values.email.trim() });
          typed.email = '';
        },
      }),
    byLink && linkForm(),
    byLink && byPassword && puzzle,
    signUpLine(settings, () => showSignUp(page, back)),
    mailboxLink(),
  );
}

/** Says who gets an account, and leads to it. */
function signUpLine({ signup, mail }, signUp) {
  if (signup === 'invite')
    return lastLine('New accounts need an invitation. ', mail && link('invitation', 'Enter a code'));
  if (signup === 'off') return lastLine('An administrator creates new accounts.');
  return lastLine(
    'New here? ',
    h('button', { class: 'link-button', type: 'button', on: { click: signUp } }, 'Create an account'),
  );
}
