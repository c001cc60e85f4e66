// Decisions on a drift: the actions, the roles that may take them, and their meaning.

import { post } from '../../api.js';
import { fill, h } from '../../dom.js';
import { ago, explain } from '../../format.js';
import { icon } from '../../icons.js';
import { notify } from '../../notice.js';
import { nameOf } from '../../people.js';
import * as session from '../../session.js';
import { busy } from '../../states.js';

export const ACTIONS = {
  approve: {
    label: 'Approve',
    done: 'Approved',
    icon: 'check',
    meaning: 'The actual state is accepted.',
    needsReason: true,
  },
  reject: {
    label: 'Reject',
    done: 'Rejected',
    icon: 'cross',
    meaning: 'The actual state must be corrected.',
    needsReason: true,
  },
  resolve: {
    label: 'Mark resolved',
    done: 'Resolved',
    icon: 'flag',
    meaning: 'The drift no longer exists. If a scan finds it again, a new drift is created.',
  },
  reopen: {
    label: 'Reopen',
    done: 'Reopened',
    icon: 'ring',
    meaning: 'Withdraws the decision.',
    role: 'admin',
  },
};
const LONGEST_REASON = 1000;

const mayDo = (action) => session.may(ACTIONS[action].role ?? 'engineer');

/** Returns the decision form, or null if no action is left. `follow(drift)` keeps it on the displayed version. */
export function decisionArea(drift, reread) {
  // A server of another version may name none, or more.
  const actions = (drift.allowed ?? []).filter((action) => action in ACTIONS);
  if (actions.length === 0) return null;
  const area = h('section', { class: 'decision', 'aria-label': 'Decision' });
  let shown = drift;
  area.follow = (now) => (shown = now);
  const isOpen = drift.status === 'detected';
  const reason = reasonField(isOpen ? 'Why?' : 'Why? (optional)');
  const told = h('p', { class: 'form-error', role: 'alert', hidden: true });
  const hintId = 'decision-hint';
  const canAny = actions.some(mayDo);
  const buttons = actions
    .filter((action) => mayDo(action) || !canAny)
    .map((action) => {
      const { label, icon: drawing, meaning } = ACTIONS[action];
      const isMain = action === 'approve' || action === 'reject';
      return h(
        'button',
        {
          class: `button ${isMain ? `button-${action}` : 'button-plain'}`,
          data: { action },
          'aria-disabled': canAny ? null : 'true',
          'aria-describedby': hintId,
          title: meaning,
          on: { click: ({ currentTarget }) => canAny && decide(action, currentTarget) },
        },
        icon(drawing),
        label,
      );
    });

  async function decide(action, button) {
    const text = reason.input.value.trim();
    if (ACTIONS[action].needsReason && !text)
      return complain('Enter a reason. It is stored with the decision.');
    return busy(button, async () => {
      try {
        await decideOn(shown, action, text);
        told.hidden = true;
        notify(`${ACTIONS[action].done}: ${shown.address}`);
      } catch (error) {
        complain(refusal(error));
      }
      await reread();
    });
  }

  function complain(text) {
    told.hidden = false;
    fill(told, text);
    reason.input.focus();
  }

  fill(
    area,
    canAny && reason.field,
    told,
    h('div', { class: 'decision-buttons' }, buttons),
    h('p', { class: 'hint', id: hintId }, hint(drift, canAny)),
  );
  return area;
}

function reasonField(label) {
  const input = h('textarea', { id: 'reason', name: 'reason', rows: 1, maxlength: LONGEST_REASON });
  return { input, field: h('div', { class: 'field' }, h('label', { for: 'reason' }, label), input) };
}

function hint(drift, canAny) {
  if (!canAny) {
    return 'You are a viewer: engineers and admins decide. An admin can change your role.';
  }
  if (drift.status === 'detected')
    return 'Approve: the actual state is accepted. Reject: it must be corrected. A further change creates a new drift.';
  return 'A decision stays in force until the resource changes again.';
}

/** Decides on the displayed version. If another user was faster, the server refuses the decision. */
export function decideOn(drift, action, reason) {
  const headers = { 'if-match': `"v${drift.version}"` };
  return post(`/api/v1/drifts/${drift.id}/${action}`, reason ? { reason } : {}, { headers });
}

function refusal(error) {
  if (error.status === 412) return 'This drift changed while you looked at it. The current version is below.';
  if (error.status === 409) return 'Another user was faster. Their decision is below.';
  return explain(error);
}

/** The decision, its author and its reason. */
export function outcome(drift) {
  const { status } = drift;
  if (status === 'detected') return null;
  const [at, by, reason] = {
    approved: [drift.approvedAt, drift.approvedBy, drift.approvedReason],
    rejected: [drift.rejectedAt, drift.rejectedBy, drift.rejectedReason],
    resolved: [drift.resolvedAt, drift.resolvedBy, HOW[drift.resolvedHow]],
  }[status];
  const word = { approved: 'Approved', rejected: 'Rejected', resolved: 'Resolved' }[status];
  return h(
    'div',
    { class: 'outcome', data: { status } },
    icon({ approved: 'check', rejected: 'cross', resolved: 'flag' }[status]),
    h(
      'div',
      {},
      h('p', {}, h('strong', {}, word), by && [' by ', nameOf(by)], ' ', ago(at, 'ago')),
      reason && h('p', { class: 'outcome-reason' }, reason),
    ),
  );
}

const HOW = {
  auto: 'A complete scan no longer found the drift.',
  superseded: 'The resource changed again, and a new drift replaced this one.',
  deleted: 'The drift was deleted.',
};
