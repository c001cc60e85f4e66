// The rhythm in which a drift returns after each fix.

import { plural } from '../../format.js';

/** From this number of returns on, a drift flaps. */
const FLAPPING = 3;
const UNITS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

export const isFlapping = ({ returns }) => returns >= FLAPPING;

/** `Returns about every 2 days (5 times)`; null for a drift that never returned. */
export function rhythm({ recurrence }) {
  if (!recurrence) return null;
  const { returns, medianIntervalSeconds: seconds } = recurrence;
  if (returns === 1) return 'Returned once after a fix';
  const [unit, length] = UNITS.find(([, one]) => seconds >= one) ?? UNITS.at(-1);
  const number = Math.max(1, Math.round(seconds / length));
  return `Returns about every ${number === 1 ? unit : plural(number, unit)} (${plural(returns, 'time')})`;
}
