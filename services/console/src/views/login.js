// Log in, or create an account. Shows the reason why a session ended.

import { fill, h, svg } from '../dom.js';
import { endReason, explain } from '../format.js';
import { brandMark } from '../icons.js';
import * as session from '../session.js';
import { busy } from '../states.js';

export function showLogin(app, reason) {
  document.title = 'Log in · DriftSentry';
  fill(
    app,
    h(
      'div',
      { class: 'login' },
      driftDrawing(),
      h(
        'main',
        { class: 'login-card' },
        h('div', { class: 'login-brand' }, brandMark(), h('span', {}, 'DriftSentry')),
        h('div', { class: 'login-form' }),
      ),
    ),
  );
  showForm(app.querySelector('.login-form'), { isNew: false, reason });
}

function showForm(place, { isNew, reason }) {
  const told = h('p', { class: 'form-error', role: 'alert', hidden: true });
  const submit = h(
    'button',
    { class: 'button button-primary button-wide', type: 'submit' },
    isNew ? 'Create account' : 'Log in',
  );
  const form = h(
    'form',
    { novalidate: true },
    isNew && field('Name', { name: 'name', autocomplete: 'name', required: true }),
    field('Email', {
      name: 'email',
      type: 'email',
      autocomplete: 'username',
      required: true,
      spellcheck: 'false',
    }),
    field(
      'Password',
      {
        name: 'password',
        type: 'password',
        autocomplete: isNew ? 'new-password' : 'current-password',
        required: true,
      },
      isNew && 'At least 8 characters. You start as a viewer.',
    ),
    told,
    submit,
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const { name, email, password } = Object.fromEntries(new FormData(form));
    const missing = [...form.elements].find((input) => input.required && !input.value);
    if (missing) return complain(told, missing, `${missing.labels[0].textContent} is missing.`);
    return busy(submit, async () => {
      try {
        await (isNew ? session.signUp(name, email, password) : session.logIn(email, password));
      } catch (error) {
        const faulty = [...form.elements].find(({ name }) => name && error.field?.(name));
        complain(told, faulty ?? form.elements.password, explain(error));
      }
    });
  });
  const other = () => showForm(place, { isNew: !isNew });
  fill(
    place,
    h('h1', {}, isNew ? 'Create an account' : 'Log in'),
    reason &&
      reason !== 'logout' &&
      h('p', { class: 'banner banner-warning', role: 'alert' }, endReason(reason)),
    reason === 'logout' && h('p', { class: 'banner', role: 'status' }, 'You are logged out.'),
    form,
    h(
      'p',
      { class: 'login-other' },
      isNew ? 'Have an account? ' : 'New here? ',
      h('button', { class: 'link-button', on: { click: other } }, isNew ? 'Log in' : 'Create an account'),
    ),
  );
  form.elements[0].focus();
}

function complain(told, input, text) {
  told.hidden = false;
  fill(told, text);
  input.focus();
}

function field(label, properties, hint) {
  const id = `login-${properties.name}`;
  return h(
    'div',
    { class: 'field' },
    h('label', { for: id }, label),
    h('input', { id, ...properties, 'aria-describedby': hint ? `${id}-hint` : null }),
    hint && h('p', { class: 'hint', id: `${id}-hint` }, hint),
  );
}

/** The background: expected lines, dashed and straight, and actual lines that drift away from them. */
function driftDrawing() {
  const lines = [0, 1, 2, 3, 4, 5, 6].map((row) => {
    const y = 110 + row * 95;
    const fall = [0, 26, 0, 64, 0, 14, 0][row];
    const actual = `M0 ${y} C 420 ${y} 520 ${y + fall} 900 ${y + fall} S 1300 ${y + fall} 1600 ${y + fall * 0.9}`;
    return [
      svg('path', { class: 'drawing-expected', d: `M0 ${y}H1600` }),
      fall > 0 && svg('path', { class: 'drawing-actual', d: actual }),
    ];
  });
  return svg(
    'svg',
    {
      class: 'login-drawing',
      viewBox: '0 0 1600 800',
      preserveAspectRatio: 'xMidYMid slice',
      'aria-hidden': 'true',
    },
    lines,
  );
}
