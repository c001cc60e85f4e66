// Decisions on a drift: the actions, the roles that may take them, and their meaning.

import { post } from '../../api.js';
import { fill, h } from '../../dom.js';
import { explain } from '../../format.js';
import { icon } from '../../icons.js';
import { notify } from '../../notice.js';
import { nameOf } from '../../people.js';
import * as session from '../../session.js';
import { isSendKey } from '../../send_key.js';
import { busy } from '../../states.js';
import { Announcement } from './deciders.js';
import { deleteDraft, draftOf, keepDraft } from './drafts.js';
import { notifyUndoable, reopen } from './undo.js';
import { untilField } from './until.js';

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

/**
 * Returns the decision form, or null if no action is left. `area.follow(drift)` keeps it on the displayed version,
 * `area.leave()` ends it, and
 * `area.choose(action)` makes the action that of the keys. `reread` shows the drift again, and `next` the next one.
 */
export function decisionArea(drift, { reread, next, signal }) {
  // A server of another version may name none, or more.
  const actions = (drift.allowed ?? []).filter((action) => action in ACTIONS);
  if (actions.length === 0) return null;
  const area = h('section', { class: 'decision', 'aria-label': 'Decision' });
  let shown = drift;
  area.follow = (now) => (shown = now);
  const isOpen = drift.status === 'detected';
  const reason = reasonField(isOpen ? 'Why?' : 'Why? (optional)', drift.id);
  const end = untilField('approve-until');
  const told = h('p', { class: 'form-error', role: 'alert', hidden: true });
  const hintId = 'decision-hint';
  const canAny = actions.some(mayDo);
  const offered = actions.filter((action) => mayDo(action) || !canAny);
  const buttons = offered.map((action) => {
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
  const keys = h('p', { class: 'hint hint-keys' });
  let chosen = null;
  area.choose = (action) => {
    if (!canAny || !offered.includes(action)) return;
    chosen = action;
    for (const button of buttons) {
      const isChosen = button.dataset.action === action;
      button.classList.toggle('is-chosen', isChosen);
      if (isChosen) button.setAttribute('aria-keyshortcuts', 'Control+Enter Shift+Enter');
      else button.removeAttribute('aria-keyshortcuts');
    }
    const { label } = ACTIONS[action];
    fill(
      keys,
      h('kbd', {}, 'Ctrl Enter'),
      ` ${label} `,
      h('kbd', {}, 'Shift Enter'),
      ` ${label}, then the next drift`,
    );
  };

  const announcement = new Announcement([drift.id], signal);
  area.leave = () => announcement.end();
  reason.input.addEventListener('input', () =>
    reason.input.value.trim() ? announcement.begin() : announcement.end(),
  );
  reason.input.addEventListener('keydown', async (event) => {
    if (!isSendKey(event) || !chosen) return;
    event.preventDefault();
    const button = buttons.find(({ dataset }) => dataset.action === chosen);
    if ((await decide(chosen, button)) && event.shiftKey) next();
  });

  /** Returns whether the decision was made. */
  async function decide(action, button) {
    const text = reason.input.value.trim();
    if (ACTIONS[action].needsReason && !text) {
      complain('Enter a reason. It is stored with the decision.');
      return false;
    }
    return busy(button, async () => {
      let refused = null;
      try {
        const { data } = await decideOn(shown, action, text, end.until());
        told.hidden = true;
        deleteDraft(shown.id);
        announcement.end();
        notifyUndoable(`${ACTIONS[action].done}: ${shown.address}`, action, () => reopen(data));
      } catch (error) {
        refused = error;
      }
      const now = await reread();
      if (refused) explainRefusal(refused, now);
      return refused === null;
    });
  }

  /** Explains in the form, or in a message if another decision has replaced the form. */
  function explainRefusal(error, now) {
    const text = refusal(error, now);
    if (area.isConnected) complain(text);
    else notify(text, { tone: 'error' });
  }

  function complain(text) {
    told.hidden = false;
    fill(told, text);
    reason.input.focus();
  }

  fill(
    area,
    canAny && reason.field,
    canAny && isOpen && end.field,
    told,
    h('div', { class: 'decision-buttons' }, buttons),
    h('p', { class: 'hint', id: hintId }, hint(drift, canAny)),
    canAny && keys,
  );
  if (isOpen) area.choose('approve');
  return area;
}

function reasonField(label, id) {
  const input = h('textarea', {
    id: 'reason',
    name: 'reason',
    rows: 1,
    maxlength: LONGEST_REASON,
    value: draftOf(id),
    on: { input: () => keepDraft(id, input.value) },
  });
  return { input, field: h('div', { class: 'field' }, h('label', { for: 'reason' }, label), input) };
}

function hint(drift, canAny) {
  if (!canAny) {
    return 'You are a viewer: engineers and admins decide. An admin can change your role.';
  }
  if (drift.status === 'detected')
    return 'Approve: the actual state is accepted. Reject: it must be corrected. A further change creates a new drift.';
  return drift.approvedUntil
    ? 'The approval stays in force until its date, or until the resource changes again.'
    : 'A decision stays in force until the resource changes again.';
}

/** Decides on the displayed version. If another user was faster, the server refuses the decision. */
function decideOn(drift, action, reason, until) {
  const headers = { 'if-match': `"v${drift.version}"` };
  const body = { ...(reason && { reason }), ...(action === 'approve' && until && { until }) };
  return post(`/api/v1/drifts/${drift.id}/${action}`, body, { headers });
}

/** `now` is the drift as it is after the refusal, if it could be read. */
function refusal(error, now) {
  const by =
    now && { approved: now.approvedBy, rejected: now.rejectedBy, resolved: now.resolvedBy }[now.status];
  if ([409, 412].includes(error.status) && by)
    return ['Not decided: ', nameOf(by), ' was faster. See their decision above.'];
  if (error.status === 412)
    return 'This drift changed while you looked at it. The current version is shown now.';
  return explain(error);
}
