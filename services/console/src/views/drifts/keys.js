// Keyboard shortcuts of the list: j and k move, Enter opens, x selects, a and r decide, u undoes, / searches, Escape
// leaves.

import { openDialog } from '../../dialog.js';
import { h } from '../../dom.js';
import { decideMany } from './bulk.js';
import * as session from '../../session.js';
import { undoLast } from './undo.js';

const KEYS = {
  'j, k': 'next, previous drift',
  Enter: 'open the drift',
  Escape: 'back to the list',
  x: 'select the drift',
  a: 'approve the open, selected or focused drifts',
  r: 'reject the open, selected or focused drifts',
  'Ctrl Enter': 'in a reason: decide; in every form: send it',
  'Shift Enter': 'in a reason: decide, and open the next open drift',
  u: 'undo the last decision, as long as its message is shown',
  '/': 'search',
  'Ctrl K': 'go to a view, a drift or an action',
  '?': 'show this list',
};

const isTyping = (target) => target.closest('input:not([type="checkbox"]), textarea, select, dialog');

export function followKeys({ list, detail, close, signal }) {
  const focused = () => document.activeElement?.closest?.('tr[data-id]')?.dataset.id;
  const decide = (action) => {
    if (!session.may('engineer')) return;
    if (list.selection.size() === 0 && detail.hidden && focused()) list.toggle(focused());
    if (list.selection.size() > 0) return decideMany(list, action);
    detail.querySelector('.decision')?.choose(action);
    detail.querySelector('.decision textarea')?.focus();
  };
  const move = (step) => {
    const id = list.neighbour(step);
    if (!id) return;
    list.focus(id);
    if (!detail.hidden && !matchMedia('(max-width: 60rem)').matches)
      list.element.querySelector(`tr[data-id="${id}"] a`).click();
  };
  const keys = {
    j: () => move(1),
    k: () => move(-1),
    x: () => focused() && list.toggle(focused()),
    a: () => decide('approve'),
    r: () => decide('reject'),
    u: undoLast,
    '/': () => document.querySelector('.search-input').focus(),
    '?': showKeys,
    Escape: () => !detail.hidden && close(),
  };
  const pressed = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
    if (isTyping(event.target)) {
      if (event.key === 'Escape') event.target.blur();
      return;
    }
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };
  document.addEventListener('keydown', pressed, { signal });
}

const showKeys = () =>
  openDialog('Keyboard shortcuts', () =>
    h(
      'dl',
      { class: 'keys' },
      Object.entries(KEYS).map(([key, meaning]) =>
        h('div', {}, h('dt', {}, h('kbd', {}, key)), h('dd', {}, meaning)),
      ),
    ),
  );
