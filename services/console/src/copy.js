// The clipboard.

import { h } from './dom.js';
import { icon } from './icons.js';
import { notify } from './notice.js';

/** Copies a text. Where the clipboard cannot be used, as on pages without TLS, selects `shown` instead. */
export async function copyText(text, shown) {
  try {
    await navigator.clipboard.writeText(text);
    notify('Copied.', { tone: 'info' });
  } catch {
    getSelection().selectAllChildren(shown);
    notify('This browser did not allow the copy. The text is selected instead.', { tone: 'info' });
  }
}

/** Returns a small button that copies `text()`. `name` says for screen readers what it copies. */
export const copyButton = (name, text, shown) =>
  h(
    'button',
    {
      class: 'icon-button copy-button',
      type: 'button',
      'aria-label': `Copy ${name}`,
      title: `Copy ${name}`,
      on: { click: () => copyText(text(), shown()) },
    },
    icon('copy'),
  );
