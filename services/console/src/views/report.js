// The report of a month: what opened, who decided and how fast, and what is accepted. Made to be printed.

import { address } from '../address.js';
import { get } from '../api.js';
import { fill, h } from '../dom.js';
import { atMoment, count, duration } from '../format.js';
import { load } from '../states.js';
import { setTitle } from '../title.js';
import { isoTime } from '../time_zone.js';
import { currentMonth, monthName, offsetOf, stepped } from './report/months.js';
import { acceptedTable, decidersTable, stacksTable } from './report/tables.js';

const SEVERITIES = ['critical', 'warning', 'info'];
const WAYS = {
  auto: 'by a scan that no longer shows them',
  manual: 'by a person',
  superseded: 'replaced, because their values changed',
  ignored: 'ignored by rules',
};

/** Shows the month of the address, and returns the function that shows another one. */
export function show(main, found, signal) {
  let reading = new AbortController();
  const content = h('div', { class: 'monthly' });
  const picker = h('input', {
    type: 'month',
    class: 'select',
    name: 'month',
    'aria-label': 'Month',
    max: currentMonth(),
    placeholder: '2026-11',
    on: { change: () => picker.value && (location.hash = at(picker.value)) },
  });
  const [earlier, later] = ['Month before', 'Month after'].map((label) => h('a', { class: 'button' }, label));
  const print = h('button', { class: 'button', on: { click: () => globalThis.print() } }, 'Print');
  const printed = h('time', {});
  fill(
    main,
    h('p', { class: 'printed' }, 'Printed ', printed, ` from ${location.origin}${location.pathname}`),
    h(
      'header',
      { class: 'view-head' },
      h('h1', {}, 'Monthly report'),
      h('div', { class: 'view-actions' }, earlier, picker, later, print),
    ),
    content,
  );
  const stamp = () => {
    const now = new Date();
    printed.dateTime = now.toISOString();
    fill(printed, `${atMoment(now)} (${isoTime(now)})`);
  };
  addEventListener('beforeprint', stamp, { signal });
  stamp();

  function read({ query }) {
    const month = query.get('month') ?? currentMonth();
    reading.abort();
    reading = new AbortController();
    const current = AbortSignal.any([reading.signal, signal]);
    setTitle(monthName(month), 'Monthly report');
    picker.value = month;
    earlier.href = at(stepped(month, -1));
    later.href = at(stepped(month, 1));
    later.hidden = month >= currentMonth();
    const filters = Object.fromEntries(['stack', 'accountId'].map((name) => [name, query.get(name)]));
    const asked = { ...filters, month, offsetMinutes: offsetOf(month) };
    return load(content, current, async () => {
      const { data } = await get('/api/v1/reports/monthly', asked, { signal: current });
      return sections(data, filters);
    });
  }

  const at = (month) => address('/report', new URLSearchParams({ month }));
  read(found);
  return read;
}

function sections(data, filters) {
  const { month, from, to, opened, openAtEnd, resolved, decided, timeToDecide } = data;
  const isOver = new Date(to) <= Date.now();
  const end = isOver ? 'at the end' : 'now';
  const ways = Object.entries(WAYS).filter(([way]) => resolved[way] > 0);
  const scope = Object.values(filters).filter(Boolean).join(', ');
  return [
    h(
      'p',
      { class: 'report-period' },
      h('strong', {}, monthName(month)),
      `${scope && ` · ${scope}`} · from ${isoTime(from)} to ${isoTime(to)}${isOver ? '' : ', not over yet'}`,
    ),
    h(
      'dl',
      { class: 'report-numbers' },
      number('Opened', sum(opened), bySeverity(opened)),
      number(`Open ${end}`, sum(openAtEnd), bySeverity(openAtEnd)),
      number(
        'Resolved',
        sum(resolved),
        ways.map(([way, words]) => `${count(resolved[way])} ${words}`).join(', '),
      ),
      number('Time to decide', duration(timeToDecide.medianHours), timeWords(timeToDecide)),
    ),
    section('Decided', decidersTable(decided), 'Nobody decided in this month.'),
    section(
      `Accepted ${end}`,
      acceptedTable(data),
      'No approval is in force.',
      data.acceptedCount > data.accepted.length &&
        `The newest ${count(data.accepted.length)} of ${count(data.acceptedCount)}.`,
    ),
    section(
      'Stacks',
      stacksTable(data.stacks, end),
      'Nothing happened in any stack.',
      data.stackCount > data.stacks.length && `The worst ${count(data.stacks.length)} of ${count(data.stackCount)}.`,
    ),
  ];
}

const sum = (counts) => Object.values(counts).reduce((total, value) => total + value, 0);
const bySeverity = (counts) => SEVERITIES.map((name) => `${count(counts[name])} ${name}`).join(', ');

const timeWords = ({ p90Hours, n }) =>
  n === 0 ? 'no decision' : `median of ${count(n)}; nine of ten within ${duration(p90Hours)}`;

const number = (name, value, note) =>
  h(
    'div',
    {},
    h('dt', {}, name),
    h('dd', { class: 'figure' }, typeof value === 'number' ? count(value) : value),
    h('dd', { class: 'note' }, note || 'none'),
  );

const section = (title, content, none, note) =>
  h(
    'section',
    { class: 'report-section' },
    h('h2', {}, title),
    content ?? h('p', { class: 'quiet' }, none),
    note && h('p', { class: 'note' }, note),
  );
