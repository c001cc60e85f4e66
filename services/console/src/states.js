// What a view shows while it has nothing to show: it waits, it failed, or there is nothing.

import { fill, h } from './dom.js';
import { explain } from './format.js';
import { icon } from './icons.js';

export const skeleton = (rows = 6) =>
  h(
    'div',
    { class: 'skeleton', role: 'status' },
    h('span', { class: 'unseen' }, 'Loading'),
    Array.from({ length: rows }, () => h('div', { class: 'skeleton-row', 'aria-hidden': 'true' })),
  );

export const failed = (error, retry) =>
  h(
    'div',
    { class: 'state state-failed', role: 'alert' },
    icon('alerts'),
    h(
      'h2',
      {},
      error.status === 403
        ? 'Not for your role'
        : error.status === 404
          ? 'Not there any more'
          : 'This did not load',
    ),
    h('p', {}, explain(error)),
    retry && error.status !== 403 && h('button', { class: 'button', on: { click: retry } }, 'Try again'),
  );

export const empty = (drawing, title, text, ...actions) =>
  h(
    'div',
    { class: 'state' },
    icon(drawing),
    h('h2', {}, title),
    h('p', {}, text),
    actions.length > 0 && h('div', { class: 'state-actions' }, actions),
  );

/** Fills `element` with what `work` gives; shows that it waits, and what to do if it fails. */
export async function load(element, signal, work, { rows = 6, quietly = false } = {}) {
  if (!quietly) fill(element, skeleton(rows));
  try {
    const content = await work();
    if (!signal.aborted) fill(element, content);
  } catch (error) {
    if (!signal.aborted)
      fill(
        element,
        failed(error, () => load(element, signal, work, { rows })),
      );
  }
}

/** Keeps a button from being pressed twice, and says what failed. */
export async function busy(button, work) {
  if (button.getAttribute('aria-busy') === 'true') return undefined;
  button.setAttribute('aria-busy', 'true');
  try {
    return await work();
  } finally {
    button.removeAttribute('aria-busy');
  }
}
