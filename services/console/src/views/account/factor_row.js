// The parts that all factors of the security page share.

import { h } from '../../dom.js';
import { icon } from '../../icons.js';
import { notify } from '../../notice.js';
import { showRecoveryCodes } from '../factors/recovery_codes.js';

export const FACTORS = '/api/auth/factors';

/** Returns the row of a kind of factor. `state` follows the title, and `more` is below. */
export const factorRow = ({ drawing, title, state, text, hint, actions, more }) =>
  h(
    'section',
    { class: 'factor' },
    icon(drawing),
    h(
      'div',
      { class: 'factor-words' },
      h('h3', {}, title, state),
      h('p', { class: 'quiet' }, text),
      hint && h('p', { class: 'hint' }, hint),
    ),
    h('div', { class: 'factor-actions' }, actions),
    more,
  );

/** Ends the addition of a factor. The first one comes with recovery codes. */
export async function finishFactor(text, { recoveryCodes }, reread) {
  if (recoveryCodes) await showRecoveryCodes(recoveryCodes);
  notify(text);
  reread();
}
