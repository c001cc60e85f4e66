// Modal dialogs on the browser's own element: focus stays inside, and Escape closes the dialog.

import { h, newId } from './dom.js';
import { icon } from './icons.js';

/** Opens a dialog; `body(close)` returns its content. Resolves with the argument of `close`. */
export function openDialog(title, body, { wide = false } = {}) {
  const id = newId('dialog');
  return new Promise((resolve) => {
    const dialog = h('dialog', { class: wide ? 'dialog dialog-wide' : 'dialog', 'aria-labelledby': id });
    const close = (value) => {
      dialog.result = value;
      dialog.close();
    };
    dialog.append(
      h(
        'header',
        { class: 'dialog-head' },
        h('h2', { id }, title),
        h(
          'button',
          { class: 'icon-button', type: 'button', 'aria-label': 'Close', on: { click: () => close() } },
          icon('close'),
        ),
      ),
      h('div', { class: 'dialog-body' }, body(close)),
    );
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.result);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Asks for confirmation before an action. `tone` is the class of its button. */
export function confirmFirst(title, text, action, tone = 'button-danger') {
  return openDialog(title, (close) => [
    h('p', {}, text),
    h(
      'div',
      { class: 'dialog-actions' },
      h('button', { class: 'button', on: { click: () => close(false) } }, 'Cancel'),
      h('button', { class: `button ${tone}`, autofocus: true, on: { click: () => close(true) } }, action),
    ),
  ]);
}
