// Months in the zone of the console, as `2026-11`.

import { timeZone } from '../../time_zone.js';

const name = new Intl.DateTimeFormat('en-GB', { month: 'long', year: 'numeric', timeZone: 'UTC' });

/** Returns the first day of a month in UTC; null if the text names no month. */
function firstDay(month) {
  const day = new Date(`${month}-01T00:00:00Z`);
  return /^\d{4}-\d\d$/.test(month) && !Number.isNaN(day.getTime()) ? day : null;
}

const text = (day) => day.toISOString().slice(0, 7);

export function currentMonth() {
  const now = new Date();
  return text(timeZone() === 'utc' ? now : new Date(now.getTime() - now.getTimezoneOffset() * 60_000));
}

/** Returns the name for people; the text itself if it names no month. */
export function monthName(month) {
  const day = firstDay(month);
  return day ? name.format(day) : month;
}

export function stepped(month, step) {
  const day = firstDay(month) ?? firstDay(currentMonth());
  day.setUTCMonth(day.getUTCMonth() + step);
  return text(day);
}

/** Returns the minutes by which the zone is ahead of UTC when the month begins. */
export function offsetOf(month) {
  const day = firstDay(month);
  if (!day || timeZone() === 'utc') return 0;
  return -new Date(day.getUTCFullYear(), day.getUTCMonth(), 1).getTimezoneOffset();
}
