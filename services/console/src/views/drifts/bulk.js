// Decisions on many drifts at once.

import { post } from '../../api.js';
import { fill, h } from '../../dom.js';
import { explain, plural } from '../../format.js';
import { openDialog } from '../../dialog.js';
import { icon } from '../../icons.js';
import * as session from '../../session.js';
import { busy } from '../../states.js';
import { ACTIONS } from './decide.js';
import { deleteDraft } from './drafts.js';
import { notifyUndoable, reopenAll } from './undo.js';

const MOST = 100;

/** The bar that appears while drifts are selected. */
export function bulkBar(list) {
  const bar = h('div', { class: 'bulk', role: 'region', 'aria-label': 'Selected drifts', hidden: true });
  if (!session.may('engineer')) return bar;
  const number = h('strong', { role: 'status' });
  const buttons = ['approve', 'reject', 'resolve'].map((action) =>
    h(
      'button',
      { class: 'button', on: { click: () => decideMany(list, action) } },
      icon(ACTIONS[action].icon),
      ACTIONS[action].label,
    ),
  );
  fill(
    bar,
    number,
    buttons,
    h('button', { class: 'quiet-button', on: { click: () => list.selectAll(false) } }, 'Clear'),
  );
  list.onSelection(() => {
    const selected = list.selection().length;
    bar.hidden = selected === 0;
    fill(number, `${plural(selected, 'drift')} selected`);
  });
  return bar;
}

/** Asks for one reason and decides on all selected drifts. */
export async function decideMany(list, action) {
  const drifts = list.selection();
  if (drifts.length === 0) return;
  const { label, meaning } = ACTIONS[action];
  const isDone = await openDialog(`${label}: ${plural(drifts.length, 'drift')}`, (close) => {
    const reason = h('textarea', { id: 'bulk-reason', rows: 3, maxlength: 1000, autofocus: true });
    const told = h('p', { class: 'form-error', role: 'alert', hidden: true });
    const submit = h('button', { class: 'button button-primary' }, label);
    const send = (event) => {
      event.preventDefault();
      const text = reason.value.trim();
      if (ACTIONS[action].needsReason && !text) {
        told.hidden = false;
        fill(told, 'Enter a reason. It is stored with each drift.');
        return reason.focus();
      }
      return busy(submit, async () => {
        try {
          report(await decideAll(drifts, action, text), action);
          close(true);
        } catch (error) {
          told.hidden = false;
          fill(told, explain(error));
        }
      });
    };
    return h(
      'form',
      { on: { submit: send } },
      h('p', {}, meaning),
      h('div', { class: 'field' }, h('label', { for: 'bulk-reason' }, 'Why?'), reason),
      told,
      h(
        'div',
        { class: 'dialog-actions' },
        h('button', { class: 'button', type: 'button', on: { click: () => close() } }, 'Cancel'),
        submit,
      ),
    );
  });
  if (isDone) list.selectAll(false);
}

async function decideAll(drifts, action, reason) {
  const outcomes = [];
  for (let at = 0; at < drifts.length; at += MOST) {
    const ids = drifts.slice(at, at + MOST).map(({ id }) => id);
    const { data } = await post('/api/v1/drifts/bulk', { action, ids, ...(reason && { reason }) });
    outcomes.push(...data);
  }
  return outcomes;
}

function report(outcomes, action) {
  const done = outcomes.filter(({ status }) => status < 300).map(({ id }) => id);
  const refused = outcomes.length - done.length;
  for (const id of done) deleteDraft(id);
  const text = `${ACTIONS[action].done}: ${plural(done.length, 'drift')}.`;
  const others = `${plural(refused, 'drift')} changed in the meantime, and no decision was made on them.`;
  notifyUndoable(refused === 0 ? text : `${text} ${others}`, done.length > 0 && action, () =>
    reopenAll(done, MOST),
  );
}
