// A secret that is shown once, with the button that copies it.

import { copyText } from './copy.js';
import { h } from './dom.js';
import { icon } from './icons.js';

/** Returns the view of a secret. `name` says what it is, such as `token`. */
export function secretView(name, text) {
  const code = h('code', {}, text);
  return [
    h('p', { class: 'banner banner-warning' }, `Copy the ${name} now. It is not shown again.`),
    h(
      'div',
      { class: 'secret' },
      code,
      h(
        'button',
        { class: 'button', type: 'button', on: { click: () => copyText(text, code) } },
        icon('copy'),
        'Copy',
      ),
    ),
  ];
}

/** Returns the button that closes the view of a secret. */
export const secretDone = (done) =>
  h(
    'div',
    { class: 'dialog-actions' },
    h('button', { class: 'button button-primary', type: 'button', on: { click: done } }, 'Done'),
  );
