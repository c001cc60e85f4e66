// The card in front of the drawing: the login form and the public pages.

import { fill, h, svg } from '../../dom.js';
import { inputField } from '../../fields.js';
import { brandMark } from '../../icons.js';
import { setTitle } from '../../title.js';

/** The address that was typed on one public page and is needed on the next. */
export const typed = { email: '' };

/** Shows an empty card, and returns the place for its content. */
export function card(app, title) {
  setTitle(title);
  const place = h('div', { class: 'login-form' });
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
        place,
      ),
    ),
  );
  return place;
}

/** Fills the card. The focus moves to the first empty field, or to the heading if there is no field. */
export function fillCard(place, heading, ...content) {
  const title = h('h1', { tabindex: '-1' }, heading);
  fill(place, title, content);
  const inputs = [...place.querySelectorAll('input:not(.unseen, [readonly])')];
  (inputs.find(({ value }) => !value) ?? inputs[0] ?? title).focus();
}

/** Returns the field of the address with which the user logs in. */
export const emailField = (properties = {}, hint = null) =>
  inputField(
    'Email',
    {
      name: 'email',
      type: 'email',
      autocomplete: 'username',
      spellcheck: 'false',
      required: true,
      value: typed.email,
      ...properties,
    },
    hint,
  );

/** Returns the last line of a card, such as a link to another page. */
export const lastLine = (...content) => h('p', { class: 'login-other' }, content);

export const link = (page, text) => h('a', { class: 'text-link', href: `#/${page}` }, text);

export const toLogin = (text = 'Log in') => link('overview', text);

export const buttonLink = (page, text) =>
  h('a', { class: 'button button-primary button-wide', href: `#/${page}` }, text);

/** Shows that something is done, and the way on. */
export const done = (place, heading, text, ...onward) =>
  fillCard(place, heading, h('p', { role: 'status' }, text), onward);

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
