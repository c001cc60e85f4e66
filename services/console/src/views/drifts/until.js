// The end of an approval: when the value changes, or a date.

import { h } from '../../dom.js';
import { timeZone } from '../../time_zone.js';

const LONGEST_DAYS = 730;
const DAY_MS = 86_400_000;

/** The last second of a day, such as 2026-12-31, in the zone of the console. */
export const endOfDay = (day) => {
  const end = new Date(`${day}T23:59:59${timeZone() === 'utc' ? 'Z' : ''}`);
  return Number.isNaN(end.getTime()) ? null : end.toISOString();
};

/** The day that is `days` ahead, such as 2026-12-31. */
export const dayAhead = (days) => {
  const day = new Date(Date.now() + days * DAY_MS);
  const offset = timeZone() === 'utc' ? 0 : day.getTimezoneOffset();
  return new Date(day.getTime() - offset * 60_000).toISOString().slice(0, 10);
};

/** Returns a field, and a function that returns its time; null for an approval without a date. */
export function untilField(id) {
  const day = h('input', {
    type: 'date',
    'aria-label': 'Last day of the approval',
    min: dayAhead(0),
    max: dayAhead(LONGEST_DAYS),
    hidden: true,
  });
  const choice = h(
    'select',
    { id, class: 'select', on: { change: draw } },
    h('option', { value: '' }, 'the value changes'),
    h('option', { value: 'day' }, 'a date'),
  );
  function draw() {
    day.hidden = !choice.value;
    if (choice.value && !day.value) day.value = dayAhead(30);
  }
  return {
    field: h('div', { class: 'until' }, h('label', { for: id }, 'Approve until'), choice, day),
    until: () => (choice.value && day.value ? endOfDay(day.value) : null),
  };
}
