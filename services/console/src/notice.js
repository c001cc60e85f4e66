// Short messages at the edge of the screen, read out by screen readers.

import { fill, h } from './dom.js';
import { icon } from './icons.js';

const STAY_MS = 6000;
const list = h('div', { class: 'notices', role: 'region', 'aria-label': 'Messages' });
const spoken = h('div', { class: 'unseen', role: 'status', 'aria-live': 'polite' });

export const noticeArea = () => [list, spoken];

/**
 * Shows a message, and returns the function that closes it. `tone` is done, error or info. Errors stay until the user
 * closes them, and other messages as long as the pointer or the focus is on them.
 */
export function notify(text, { tone = 'done', action, stayMs = STAY_MS, onClosed } = {}) {
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
    { class: `notice notice-${tone}`, role: tone === 'error' ? 'alert' : 'status' },
    h('p', {}, text),
    action &&
      h(
        'button',
        {
          class: 'quiet-button',
          'aria-keyshortcuts': action.keys,
          on: { click: () => (close(), action.run()) },
        },
        action.label,
      ),
    h(
      'button',
      { class: 'icon-button', 'aria-label': 'Close this message', on: { click: close } },
      icon('close'),
    ),
  );
  list.append(item);
  while (list.children.length > 3) list.firstChild.remove();
  if (tone !== 'error') timer = setTimeout(closeLater, stayMs);
  return close;
}

let saying = 0;

/** Speaks to screen readers only. Of several texts in quick succession, only the last is spoken. */
export function say(text) {
  clearTimeout(saying);
  saying = setTimeout(() => fill(spoken, text), 400);
}
