// The overview: number, severity, age and cost of the open drifts, and the recent trend.

import { all, get } from '../api.js';
import { dayBars, shareBar } from '../charts.js';
import { fill, h } from '../dom.js';
import { ago, count, duration, money } from '../format.js';
import { severityMark, statusMark } from '../icons.js';
import { livePlace } from '../live_place.js';
import { failed, skeleton } from '../states.js';
import { onSummary, onSummaryFailed, readSummary } from '../summary.js';
import { welcome } from './drifts/nothing.js';
import { acceptDrops } from './drifts/intake.js';

const SEVERITIES = ['critical', 'warning', 'info'];
const LABELS = { critical: 'Critical', warning: 'Warning', info: 'Info' };
const DAYS = 14;
/** The trend shows at most this many of the newest drifts. */
const MOST = 200;
const OFTEN_MS = 1_500;

export function show(main, found, signal) {
  const place = h('div', { class: 'overview' }, skeleton(6));
  fill(main, h('header', { class: 'view-head' }, h('h1', {}, 'Overview')), place);
  acceptDrops(main, signal);
  let isDrawn = false;
  onSummaryFailed((error) => fill(place, failed(error, readSummary)), signal);
  const numbers = h('div', { class: 'cards' });
  onSummary((summary) => {
    if (summary.total === 0) {
      isDrawn = false;
      return fill(place, welcome());
    }
    fill(numbers, cards(summary));
    if (!isDrawn) fill(place, numbers, h('div', { class: 'columns' }, trend(signal), urgent(signal)));
    isDrawn = true;
  }, signal);
}

function cards({ open, bySeverity, costImpactMonthly, decisionHours, oldestOpenAt, byStatus }) {
  const parts = SEVERITIES.map((name) => ({
    name,
    label: LABELS[name],
    value: bySeverity[name],
    href: `#/drifts?severity=${name}`,
  }));
  return [
    h(
      'section',
      { class: 'card card-open' },
      h('h2', {}, 'Open'),
      h('a', { class: 'figure', href: '#/drifts' }, count(open)),
      shareBar(parts),
    ),
    card(
      'Oldest open drift',
      oldestOpenAt ? ago(oldestOpenAt) : 'none',
      'since it was first seen',
      '#/drifts?sort=detectedAt',
    ),
    card('Cost of open drifts', money(costImpactMonthly), 'per month', '#/drifts?sort=-costImpactMonthly'),
    card('Time to decide', duration(decisionHours), 'on average, since first seen'),
    card(
      'Decided',
      count(byStatus.approved + byStatus.rejected),
      `${count(byStatus.approved)} approved, ${count(byStatus.rejected)} rejected, ${count(byStatus.resolved)} resolved`,
      '#/drifts?status=approved,rejected',
    ),
  ];
}

function card(title, figure, note, href) {
  return h(
    'section',
    { class: 'card' },
    h('h2', {}, title),
    href ? h('a', { class: 'figure', href }, figure) : h('p', { class: 'figure' }, figure),
    h('p', { class: 'note' }, note),
  );
}

function trend(signal) {
  const { place } = livePlace(
    ['drift:created'],
    OFTEN_MS,
    signal,
    async () => {
      const from = new Date();
      from.setHours(0, 0, 0, 0);
      from.setDate(from.getDate() - DAYS + 1);
      const { items, isComplete } = await all(
        '/api/v1/drifts',
        { detectedFrom: from.toISOString() },
        { most: MOST, signal },
      );
      return [
        dayBars(daysOf(items, from), SEVERITIES.toReversed()),
        !isComplete && h('p', { class: 'note' }, `Shows the newest ${count(MOST)} drifts only.`),
      ];
    },
    { rows: 3 },
  );
  return h('section', { class: 'panel' }, h('h2', {}, `New in ${DAYS} days`), place);
}

function daysOf(drifts, from) {
  const days = Array.from({ length: DAYS }, (_, at) => {
    const day = new Date(from);
    day.setDate(day.getDate() + at);
    return { day, critical: 0, warning: 0, info: 0 };
  });
  for (const { detectedAt, severity } of drifts) {
    const day = new Date(detectedAt);
    day.setHours(0, 0, 0, 0);
    const at = Math.round((day - from) / 86_400_000);
    if (days[at]) days[at][severity] += 1;
  }
  return days;
}

function urgent(signal) {
  const { place } = livePlace(
    ['drift:'],
    OFTEN_MS,
    signal,
    async () => {
      const { data } = await get(
        '/api/v1/drifts',
        { status: 'detected', sort: '-severity', limit: 7 },
        { signal },
      );
      if (data.length === 0) return h('p', { class: 'quiet' }, 'No drift waits for a decision.');
      return h('ol', { class: 'urgent' }, data.map(urgentEntry));
    },
    { rows: 5 },
  );
  return h(
    'section',
    { class: 'panel' },
    h('header', {}, h('h2', {}, 'Look at these first'), h('a', { href: '#/drifts?sort=-severity' }, 'All')),
    place,
  );
}

const urgentEntry = ({ id, address, severity, stack, status, detectedAt }) =>
  h(
    'li',
    {},
    h(
      'a',
      { href: `#/drifts/${id}?sort=-severity` },
      severityMark(severity),
      h('span', { class: 'urgent-name' }, address, h('small', {}, stack)),
      status !== 'detected' && statusMark(status),
      ago(detectedAt),
    ),
  );
