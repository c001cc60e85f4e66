// Placeholders of a view: loading, failed, or empty.

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

const titles = { 403: 'Not allowed for your role', 404: 'Not found' };

/** Shows an error and a way to retry. After a network error, retries automatically once the page is live. */
export function failed(error, retry) {
  const element = h(
    'div',
    { class: 'state state-failed', role: 'alert' },
    icon('trouble'),
    h('h2', {}, titles[error.status] ?? 'Loading failed'),
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

/** Fills `element` with the result of `work`. Shows a skeleton while waiting, and the error on failure. */
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

/** Runs `work` once while the button is busy: a second press does nothing. */
export async function busy(button, work) {
  if (button.getAttribute('aria-busy') === 'true') return undefined;
  button.setAttribute('aria-busy', 'true');
  try {
    return await work();
  } finally {
    button.removeAttribute('aria-busy');
  }
}
