// Short messages at the edge of the screen, read out by screen readers.

import { fill, h } from './dom.js';
import { icon } from './icons.js';

const STAY_MS = 6000;
const list = h('div', { class: 'notices', role: 'region', 'aria-label': 'Messages' });
const spoken = h('div', { class: 'unseen', role: 'status', 'aria-live': 'polite' });

export const noticeArea = () => [list, spoken];

/**
 * Shows a message, and returns the function that closes it. `tone` is done, error or info. Errors and `lasting` messages
 * stay until the user closes them, and other messages as long as the pointer or the focus is on them. Newer messages take
 * the place of older ones that are not `lasting`. `actions` are several buttons instead of one.
 */
export function notify(
  text,
  { tone = 'done', action, actions = [action], stayMs = STAY_MS, lasting = false, onClosed } = {},
) {
  let timer = 0;
  const close = () => {
    clearTimeout(timer);
    item.remove();
    onClosed?.();
  };
  const closeLater = () => {
    if (item.matches(':hover, :focus-within')) timer = setTimeout(closeLater, 1000);
    else close();
  };
  const item = h(
    'div',
    { class: `notice notice-${tone}`, data: lasting ? { lasting: '' } : {}, role: tone === 'error' ? 'alert' : 'status' },
    h('p', {}, text),
    actions.filter(Boolean).map(({ label, keys, run }) =>
      h(
        'button',
        { class: 'quiet-button', 'aria-keyshortcuts': keys, on: { click: () => (close(), run()) } },
        label,
      ),
    ),
    h(
      'button',
      { class: 'icon-button', 'aria-label': 'Close this message', on: { click: close } },
      icon('close'),
    ),
  );
  list.append(item);
  const brief = () => [...list.querySelectorAll('.notice:not([data-lasting])')];
  while (list.children.length > 3 && brief().length > 1) brief()[0].remove();
  if (tone !== 'error' && !lasting) timer = setTimeout(closeLater, stayMs);
  return close;
}

let saying = 0;

/** Speaks to screen readers only. Of several texts in quick succession, only the last is spoken. */
export function say(text) {
  clearTimeout(saying);
  saying = setTimeout(() => fill(spoken, text), 400);
}
