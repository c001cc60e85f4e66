// The monthly cost of a drift. It is 0 in the API while it is unknown.

import { money } from '../../format.js';

/** A live event names the cost, but not whether it is known. */
export const isPriced = ({ isCostKnown, costImpactMonthly }) => isCostKnown || costImpactMonthly !== 0;

export const costText = (drift) => (isPriced(drift) ? money(drift.costImpactMonthly) : 'unknown');
