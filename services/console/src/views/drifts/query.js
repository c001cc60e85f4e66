// The query in the address of the list: filters, order, grouping and columns.

import { ANY, OPEN } from './columns.js';

/** The orders of the list, by the keys of the API. */
export const SORTS = {
  '-severity': 'Most severe first',
  severity: 'Least severe first',
  '-detectedAt': 'Newest first',
  detectedAt: 'Oldest first',
  '-lastSeenAt': 'Last seen first',
  lastSeenAt: 'Not seen for longest',
  '-costImpactMonthly': 'Highest cost first',
  costImpactMonthly: 'Lowest cost first',
};
/** The worst drifts come first. */
const USUAL_SORT = '-severity';
export const CAUSE = 'cause';

/** Returns the query for the API. Without a status in the address, only open drifts are listed, except snoozed ones. */
export function filtersOf(query) {
  const { status = OPEN, sort, by, columns, ...others } = Object.fromEntries(query);
  return {
    ...(status === OPEN && { snoozed: 'false' }),
    ...others,
    sort: sortOf(query),
    ...(status !== ANY && { status }),
  };
}

/** Returns the order. An unknown one in the address is left out. */
export const sortOf = (query) => (Object.hasOwn(SORTS, query.get('sort') ?? '') ? query.get('sort') : USUAL_SORT);

/** Returns the query with this order. */
export function withSort(query, sort) {
  const changed = new URLSearchParams(query);
  if (sort === USUAL_SORT) changed.delete('sort');
  else changed.set('sort', sort);
  return changed;
}

/** True if the list groups drifts by their cause. */
export const isGrouped = (query) => query.get('by') === CAUSE;
