// What a view shows while it has nothing to show: it waits, it failed, or there is nothing.

import { fill, h } from './dom.js';
import { explain } from './format.js';
import { icon } from './icons.js';
import { onState } from './socket.js';

export const skeleton = (rows = 6) =>
  h(
    'div',
    { class: 'skeleton', role: 'status' },
    h('span', { class: 'unseen' }, 'Loading'),
    Array.from({ length: rows }, () => h('div', { class: 'skeleton-row', 'aria-hidden': 'true' })),
  );

const titles = { 403: 'Not for your role', 404: 'Not there any more' };

/** What went wrong, and the way on; what the network kept away comes by itself once it is back. */
export function failed(error, retry) {
  const element = h(
    'div',
    { class: 'state state-failed', role: 'alert' },
    icon('trouble'),
    h('h2', {}, titles[error.status] ?? 'This did not load'),
    h('p', {}, explain(error)),
    retry && error.status !== 403 && h('button', { class: 'button', on: { click: retry } }, 'Try again'),
  );
  if (retry && error.name === 'Unreachable') {
    const waiting = new AbortController();
    onState(({ name }) => {
      if (name !== 'live') return;
      waiting.abort();
      if (element.isConnected) retry();
    }, waiting.signal);
  }
  return element;
}

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
