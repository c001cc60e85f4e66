// New drifts per day in a range that the person picks. The range is in the address.

import { go } from '../../address.js';
import { get } from '../../api.js';
import { dayBars } from '../../charts.js';
import { fill, h } from '../../dom.js';
import { plural } from '../../format.js';
import { livePlace } from '../../live_place.js';
import { timeZone } from '../../time_zone.js';

const RANGES = [7, 14, 30, 90];
const USUAL = 14;
const OFTEN_MS = 1_500;
/** From the bottom of a bar to its top. */
const SEVERITIES = ['info', 'warning', 'critical'];

/** Returns the number of days in the address. */
const daysIn = (query) => {
  const days = Number(query.get('days'));
  return RANGES.includes(days) ? days : USUAL;
};

/** Returns the panel, and the function that shows the range of another query. */
export function trend(query, signal) {
  let shown = 0;
  let reading = new AbortController();
  const title = h('h2', {});
  const content = h('div', {});
  const buttons = RANGES.map((days) =>
    h('button', { class: 'chip chip-text', data: { days }, on: { click: () => pick(days) } }, `${days} days`),
  );

  function pick(days) {
    const changed = new URLSearchParams(query);
    if (days === USUAL) changed.delete('days');
    else changed.set('days', days);
    go('/overview', changed, { replace: true });
  }

  function show(now) {
    query = now;
    const days = daysIn(query);
    if (days === shown) return;
    shown = days;
    reading.abort();
    reading = new AbortController();
    for (const button of buttons) button.setAttribute('aria-pressed', String(button.dataset.days === String(days)));
    fill(title, `New in ${days} days`);
    const visit = AbortSignal.any([reading.signal, signal]);
    fill(content, livePlace(['drift:'], OFTEN_MS, visit, () => chart(days, visit), { rows: 3 }).place);
  }

  show(query);
  const range = h('div', { class: 'chips', role: 'group', 'aria-label': 'Range' }, buttons);
  return { element: h('section', { class: 'panel' }, h('header', {}, title, range), content), show };
}

async function chart(days, signal) {
  const offsetMinutes = timeZone() === 'utc' ? 0 : -new Date().getTimezoneOffset();
  const { data } = await get('/api/v1/metrics/trend', { days, offsetMinutes }, { signal });
  const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
  const all = data.days.map(({ day, opened, decided, resolved }) => ({
    // Without a zone, the day is one of this device.
    day: new Date(`${day}T00:00`),
    ...opened,
    note: `${decided} decided, ${resolved} resolved`,
  }));
  const opened = sum(data.days.flatMap((day) => Object.values(day.opened)));
  const decided = sum(data.days.map((day) => day.decided));
  const resolved = sum(data.days.map((day) => day.resolved));
  return [
    dayBars(all, SEVERITIES),
    h('p', { class: 'note' }, `${plural(opened, 'drift')} opened, ${plural(decided, 'decision')}, ${resolved} resolved.`),
  ];
}
