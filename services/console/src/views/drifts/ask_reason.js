// The dialog that asks for the reason of a decision on many drifts.

import { openDialog } from '../../dialog.js';
import { fill, h } from '../../dom.js';
import { explain } from '../../format.js';
import { busy } from '../../states.js';
import { ACTIONS } from './decide.js';
import { Announcement } from './deciders.js';
import { untilField } from './until.js';

/**
 * Shows `parts` above the field, and `label` on the button. `send({reason, until})` makes the decision, and its error is
 * explained. `ids` are the drifts, if they are known. Resolves to true if the decision was made.
 */
export async function askReason(title, { action, parts, label, ids = [] }, send) {
  const announcement = new Announcement(ids);
  announcement.begin();
  try {
    return await dialog(title, { action, parts, label }, send);
  } finally {
    announcement.end();
  }
}

function dialog(title, { action, parts, label }, send) {
  return openDialog(title, (close) => {
    const reason = h('textarea', { id: 'bulk-reason', rows: 3, maxlength: 1000, autofocus: true });
    const end = action === 'approve' ? untilField('bulk-until') : null;
    const told = h('p', { class: 'form-error', role: 'alert', hidden: true });
    const submit = h('button', { class: 'button button-primary' }, label);
    const complain = (text) => {
      told.hidden = false;
      fill(told, text);
    };
    const submitted = (event) => {
      event.preventDefault();
      const text = reason.value.trim();
      if (ACTIONS[action].needsReason && !text) {
        complain('Enter a reason. It is stored with each drift.');
        return reason.focus();
      }
      return busy(submit, async () => {
        try {
          const until = end?.until();
          await send({ ...(text && { reason: text }), ...(until && { until }) });
          close(true);
        } catch (error) {
          complain(explain(error));
        }
      });
    };
    return h(
      'form',
      { on: { submit: submitted } },
      h('p', {}, ACTIONS[action].meaning),
      parts,
      h('div', { class: 'field' }, h('label', { for: 'bulk-reason' }, 'Why?'), reason),
      end?.field,
      told,
      h(
        'div',
        { class: 'dialog-actions' },
        h('button', { class: 'button', type: 'button', on: { click: () => close() } }, 'Cancel'),
        submit,
      ),
    );
  });
}
