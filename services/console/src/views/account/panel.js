// A part of the account pages.

import { h } from '../../dom.js';

/** Returns a section with a heading; `name` has further classes. */
export const panel = (title, content, name = '') =>
  h(
    'section',
    { class: `panel ${name.includes('panel-wide') ? '' : 'panel-narrow'} ${name}` },
    h('h2', {}, title),
    content,
  );
