// The history of a drift with actors, the newest entry first.

import { h } from '../../dom.js';
import { ago } from '../../format.js';
import { icon } from '../../icons.js';
import { nameOf } from '../../people.js';

const DRAWINGS = { approved: 'check', rejected: 'cross', resolved: 'flag', detected: 'ring' };
const WORDS = {
  approved: 'Approved',
  rejected: 'Rejected',
  resolved: 'Resolved',
  detected: 'Opened',
};

export function historyView(rows) {
  return h(
    'section',
    { class: 'detail-section' },
    h('header', {}, h('h3', {}, 'History')),
    h('ol', { class: 'history' }, rows.map(entry)),
  );
}

function entry({ at, actor, action, from, to, reason, changedFields }) {
  const isReopened = to === 'detected' && from;
  const word = NAMED[action] ? null : isReopened && from !== to ? 'Reopened' : from !== to ? WORDS[to] : null;
  return h(
    'li',
    { data: { status: to } },
    h('span', { class: 'history-dot' }, icon((from !== to && DRAWINGS[to]) || 'equal')),
    h(
      'div',
      {},
      h('p', {}, h('strong', {}, word ?? described(action)), ' by ', nameOf(actor), ' ', ago(at, 'ago')),
      changedFields.length > 0 && h('p', { class: 'quiet' }, changedFields.map((name) => FIELDS[name] ?? name).join(', ')),
      reason && h('blockquote', {}, reason),
    ),
  );
}

/** Actions and fields whose stored name differs from the words of the console. */
const NAMED = { 'drift.expire': 'Approval expired', 'drift.uncomment': 'Comment deleted' };
const FIELDS = { assigneeId: 'assignee', ticketUrl: 'ticket', snoozedUntil: 'snooze' };

/** Turns `drift.update` into `Update`. */
function described(action) {
  if (NAMED[action]) return NAMED[action];
  const words = action.split('.').at(-1).replaceAll('_', ' ');
  return words[0].toUpperCase() + words.slice(1);
}
