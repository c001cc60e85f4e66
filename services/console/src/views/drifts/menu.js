// A button that opens a small panel below it.

import { h } from '../../dom.js';
import { icon } from '../../icons.js';

/** Returns an element that closes like a menu: with Escape, and when the focus or a press leaves it. */
export function menu(label, content, signal) {
  const element = h(
    'details',
    { class: 'more' },
    h('summary', { class: 'button' }, label, icon('down')),
    h('div', { class: 'popover' }, content),
  );
  element.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !element.open) return;
    event.stopPropagation();
    element.open = false;
    element.firstChild.focus();
  });
  element.addEventListener('focusout', ({ relatedTarget }) => {
    if (relatedTarget && !element.contains(relatedTarget)) element.open = false;
  });
  const leave = ({ target }) => {
    if (!element.contains(target)) element.open = false;
  };
  document.addEventListener('pointerdown', leave, { signal });
  return element;
}
