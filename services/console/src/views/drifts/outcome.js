// The decision that was made on a drift.

import { h } from '../../dom.js';
import { ago, exactTime } from '../../format.js';
import { icon } from '../../icons.js';
import { nameOf } from '../../people.js';

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
      status === 'approved' &&
        drift.approvedUntil &&
        h('p', {}, 'The approval lasts until ', exactTime(drift.approvedUntil), '.'),
      reason && h('p', { class: 'outcome-reason' }, reason),
    ),
  );
}

const HOW = {
  auto: 'A complete scan no longer found the drift.',
  superseded: 'The resource changed again, and a new drift replaced this one.',
  ignored: 'A rule ignores the drift. Once no rule does, the drift comes back with the next scan.',
  deleted: 'The drift was deleted.',
};
