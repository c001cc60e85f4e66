// The columns of the list: what each shows, and which ones a person has chosen for each tab.

import { h } from '../../dom.js';
import { ago, count } from '../../format.js';
import { statusMark } from '../../icons.js';
import { nameOf } from '../../people.js';
import { costText } from './cost.js';
import { isFlapping, rhythm } from './rhythm.js';

/** Columns in their order. Lists can be sorted by those with `sort`, a key of the API. */
export const COLUMNS = {
  where: {
    label: 'Where',
    width: '9rem',
    cell: ({ stack, region, accountId }) => [h('span', {}, stack), h('small', {}, region ?? accountId ?? '')],
  },
  type: { label: 'Type', width: '10rem', cell: ({ resourceType }) => h('span', {}, resourceType) },
  account: { label: 'Account', width: '8.5rem', cell: ({ accountId }) => accountId ?? '–' },
  status: {
    label: 'Status',
    width: '6.5rem',
    cell: (drift) => [
      statusMark(drift.status),
      isFlapping(drift) && h('small', { class: 'flaps', title: rhythm(drift) }, 'returns'),
    ],
  },
  cost: {
    label: 'Cost / month',
    width: '7rem',
    sort: 'costImpactMonthly',
    cell: costText,
  },
  scans: { label: 'Scans', width: '4.5rem', cell: ({ occurrences }) => count(occurrences) },
  decided: {
    label: 'Decided',
    width: '8.5rem',
    cell: (drift) => {
      const [at, by] = decisionOf(drift);
      return [h('span', {}, ago(at, 'ago')), by && h('small', {}, nameOf(by))];
    },
  },
  reason: { label: 'Reason', width: '12rem', cell: (drift) => h('span', {}, decisionOf(drift)[2] ?? '–') },
  seen: { label: 'Last seen', width: '5.5rem', sort: 'lastSeenAt', cell: ({ lastSeenAt }) => ago(lastSeenAt) },
  age: { label: 'Detected', width: '5.5rem', sort: 'detectedAt', cell: ({ detectedAt }) => ago(detectedAt) },
};
/** The tab of all statuses. */
export const ANY = 'any';
export const OPEN = 'detected';

const USUAL = {
  [OPEN]: ['where', 'status', 'cost', 'age'],
  approved: ['where', 'status', 'decided', 'reason'],
  rejected: ['where', 'status', 'decided', 'reason'],
  resolved: ['where', 'status', 'decided', 'seen'],
  [ANY]: ['where', 'status', 'cost', 'age'],
};
const KEY = 'driftsentry.columns';

/** Returns time, person and reason of the decision on a drift. */
const decisionOf = (drift) =>
  ({
    approved: [drift.approvedAt, drift.approvedBy, drift.approvedReason],
    rejected: [drift.rejectedAt, drift.rejectedBy, drift.rejectedReason],
    resolved: [drift.resolvedAt, drift.resolvedBy],
  })[drift.status] ?? [];

/** Returns the tab of a query: a status, or `any`. */
export function tabOf(query) {
  const status = query.get('status') ?? OPEN;
  return Object.hasOwn(USUAL, status) ? status : ANY;
}

const known = (names) => Object.keys(COLUMNS).filter((name) => names.includes(name));

/** Returns the names of the columns: those in the address, else those chosen for the tab, else the usual ones. */
export function columnsOf(query) {
  const shared = query.get('columns');
  return known(shared === null ? (stored()[tabOf(query)] ?? USUAL[tabOf(query)]) : shared.split(','));
}

/** Keeps the columns of a tab on this device. */
export function keepColumns(tab, names) {
  localStorage.setItem(KEY, JSON.stringify({ ...stored(), [tab]: known(names) }));
}

function stored() {
  try {
    const columns = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    const isList = ([tab, names]) => Object.hasOwn(USUAL, tab) && Array.isArray(names);
    return Object.fromEntries(Object.entries(columns ?? {}).filter(isList));
  } catch {
    return {};
  }
}
