// The overview: number, severity, age and cost of the open drifts, what has changed, the trend, and the worst stacks.

import { get } from '../api.js';
import { shareBar } from '../charts.js';
import { fill, h } from '../dom.js';
import { ago, count, duration, money } from '../format.js';
import { icon, severityMark, statusMark } from '../icons.js';
import { livePlace } from '../live_place.js';
import * as session from '../session.js';
import { failed, skeleton } from '../states.js';
import { onSummary, onSummaryFailed, readSummary } from '../summary.js';
import { welcome } from './drifts/nothing.js';
import { acceptDrops } from './drifts/intake.js';
import { sinceLastVisit } from './overview/changes.js';
import { worstStacks } from './overview/stacks.js';
import { trend } from './overview/trend.js';

const SEVERITIES = ['critical', 'warning', 'info'];
const LABELS = { critical: 'Critical', warning: 'Warning', info: 'Info' };
const OFTEN_MS = 1_500;

export function show(main, found, signal) {
  const place = h('div', { class: 'overview' }, skeleton(6));
  fill(main, h('header', { class: 'view-head' }, h('h1', {}, 'Overview'), h('div', { class: 'view-actions' }, reportLink())), place);
  acceptDrops(main, signal);
  let { query } = found;
  let range = null;
  /** The page that is shown: `start` while nothing was ever scanned, then `overview`. */
  let page = null;
  onSummaryFailed((error) => fill(place, failed(error, readSummary)), signal);
  const numbers = h('div', { class: 'cards' });

  function showOverview() {
    page = 'overview';
    range = trend(query, signal);
    fill(
      place,
      numbers,
      h('div', { class: 'columns' }, sinceLastVisit(signal), range.element, urgent(signal), worstStacks(signal)),
    );
  }

  async function showStart() {
    page = 'start';
    if (!session.may('admin')) return fill(place, welcome());
    const { data } = await get('/api/v1/scans', { limit: 1 }, { signal }).catch(() => ({ data: [] }));
    if (data.length > 0) return showOverview();
    const { onboarding } = await import('./overview/onboarding.js');
    return signal.aborted ? undefined : fill(place, onboarding(showOverview, signal));
  }

  onSummary((summary) => {
    fill(numbers, cards(summary));
    const isFirst = page === null;
    if (summary.total === 0 && isFirst) showStart();
    // An admin leaves the first steps with a button.
    else if (summary.total > 0 && (isFirst || (page === 'start' && !session.may('admin')))) showOverview();
  }, signal);

  return ({ query: now }) => {
    query = now;
    range?.show(query);
  };
}

function cards({ open, snoozed, bySeverity, hasCosts, costImpactMonthly, decisionHours, oldestOpenAt, byStatus }) {
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
      snoozed > 0 && h('a', { class: 'note', href: '#/drifts?snoozed=true' }, `${count(snoozed)} of them snoozed`),
    ),
    card(
      'Oldest open drift',
      oldestOpenAt ? ago(oldestOpenAt) : 'none',
      'since it was first seen',
      '#/drifts?sort=detectedAt',
    ),
    hasCosts && card('Cost of open drifts', money(costImpactMonthly), 'per month', '#/drifts?sort=-costImpactMonthly'),
    card('Time to decide', duration(decisionHours), 'on average, since first seen'),
    card(
      'Decided',
      count(byStatus.approved + byStatus.rejected),
      `${count(byStatus.approved)} approved, ${count(byStatus.rejected)} rejected, ${count(byStatus.resolved)} resolved`,
      '#/drifts?status=approved,rejected',
    ),
  ];
}

const reportLink = () => h('a', { class: 'button', href: '#/report' }, icon('report'), 'Monthly report');

function card(title, figure, note, href) {
  return h(
    'section',
    { class: 'card' },
    h('h2', {}, title),
    href ? h('a', { class: 'figure', href }, figure) : h('p', { class: 'figure' }, figure),
    h('p', { class: 'note' }, note),
  );
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
    h('header', {}, h('h2', {}, 'Look at these first'), h('a', { href: '#/drifts' }, 'All')),
    place,
  );
}

const urgentEntry = ({ id, address, severity, stack, status, detectedAt }) =>
  h(
    'li',
    {},
    h(
      'a',
      { href: `#/drifts/${id}` },
      severityMark(severity),
      h('span', { class: 'urgent-name' }, address, h('small', {}, stack)),
      status !== 'detected' && statusMark(status),
      ago(detectedAt),
    ),
  );
