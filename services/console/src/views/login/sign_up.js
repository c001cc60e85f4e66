// Creates an account. If the server verifies addresses, a mail has to be confirmed before the account exists.

import { h } from '../../dom.js';
import { form, inputField, newPassword } from '../../fields.js';
import { solved } from '../../proof_of_work.js';
import * as session from '../../session.js';
import { done, emailField, fillCard, lastLine, typed } from '../public/card.js';
import { checkMail } from '../public/check_mail.js';
import { backLine } from './by_link.js';

const SIGN_UP = '/api/auth/signup';

/** Shows the form. `known` has values that were typed before. */
export function showSignUp(page, back, known = {}) {
  const { place, settings } = page;
  const puzzle = h('div', {});
  const signUp = async (values, where) => session.logIn(SIGN_UP, { ...values, ...(await solved(where)) });
  const send = async (values) => {
    typed.email = values.email.trim();
    const wanted = { ...values, email: typed.email };
    const asked = await signUp(wanted, puzzle);
    const correct = () => {
      showSignUp(page, back, wanted);
      place.querySelector('input[type=email]').focus();
    };
    if (asked.requestId) showCode(page, asked, (where) => signUp(wanted, where), { back, correct });
  };
  fillCard(
    place,
    'Create an account',
    h('p', { class: 'quiet' }, 'You start as a viewer. An administrator can change your role.'),
    form(
      [
        inputField('Name', { name: 'name', autocomplete: 'name', required: true, value: known.name ?? '' }),
        emailField({}, domainHint(settings)),
        newPassword('password', 'Password'),
        puzzle,
      ],
      { action: 'Create account', tone: 'button-primary button-wide', send },
    ),
    lastLine(
      'Have an account? ',
      h('button', { class: 'link-button', type: 'button', on: { click: () => back() } }, 'Log in'),
    ),
  );
}

function domainHint({ signup, signupDomains }) {
  if (signup !== 'domain') return null;
  const domains = new Intl.ListFormat('en', { type: 'disjunction' }).format(signupDomains);
  return `An address of ${domains}.`;
}

function showCode({ place, signal }, asked, again, { back, correct }) {
  const content = checkMail({
    email: typed.email,
    asked,
    signal,
    action: 'Create account',
    send: (proof) => session.logIn(`${SIGN_UP}/complete`, proof),
    again,
    correct,
    elsewhere: () =>
      done(
        place,
        'Your account is ready',
        'You confirmed your address on another page. You can log in now.',
        h('button', { class: 'button button-primary button-wide', on: { click: () => back() } }, 'Log in'),
      ),
  });
  fillCard(place, 'Check your mail', content, backLine(back));
}
