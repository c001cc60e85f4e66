// The log of deliveries, newest first. The filters are in the address.

import { address } from '../../address.js';
import { get, post } from '../../api.js';
import { fill, h } from '../../dom.js';
import { ago, exactTime, explain, plural, until } from '../../format.js';
import { icon } from '../../icons.js';
import { notify } from '../../notice.js';
import * as session from '../../session.js';
import { busy, empty, load } from '../../states.js';
import { moreButton, table } from '../admin/table.js';
import { DELIVERIES, DELIVERY_STATUSES, DESTINATIONS, failureWords } from './words.js';

const PAGE = 50;
const STATUS_OPTIONS = Object.entries(DELIVERY_STATUSES).map(([value, { label }]) => [value, label]);

export function showDeliveries(place, signal, query) {
  const wanted = new URLSearchParams(query);
  const log = h('div', {});
  let reading = new AbortController();
  let names = new Map();
  const destination = choice('destination', 'Destination', []);
  const status = choice('status', 'Status', STATUS_OPTIONS);
  const refresh = h('button', { class: 'button', on: { click: () => busy(refresh, () => read(true)) } }, 'Refresh');
  fill(place, h('div', { class: 'filter-row' }, destination, status, refresh), log);

  function choice(name, label, options) {
    const select = h(
      'select',
      { class: 'select', name, 'aria-label': label, on: { change: () => choose(name, select.value) } },
      h('option', { value: '' }, `${label}: any`),
      options.map(([value, text]) => h('option', { value }, text)),
    );
    select.value = wanted.get(name) ?? '';
    return select;
  }

  function choose(name, value) {
    if (value) wanted.set(name, value);
    else wanted.delete(name);
    // The view stays: only the log is read again.
    history.replaceState(null, '', address('/notifications/deliveries', wanted));
    read();
  }

  function read(quietly = false) {
    reading.abort();
    reading = new AbortController();
    const current = AbortSignal.any([reading.signal, signal]);
    const page = (cursor) =>
      get(
        DELIVERIES,
        { limit: PAGE, destination: wanted.get('destination'), status: wanted.get('status'), cursor },
        { signal: current },
      );
    return load(log, current, () => view(page), { quietly });
  }

  async function view(page) {
    const [first, destinations] = await Promise.all([page(), get(DESTINATIONS, {}, { signal })]);
    names = new Map(destinations.data.map(({ id, name }) => [id, name]));
    destination.replaceChildren(
      destination.firstChild,
      ...[...names].map(([id, name]) => h('option', { value: id }, name)),
    );
    destination.value = wanted.get('destination') ?? '';
    if (first.data.length === 0)
      return empty('notifications', 'No delivery', 'No delivery matches these filters. They are kept for some weeks.');
    const body = h('tbody', {}, first.data.map(row));
    const append = (deliveries) => body.append(...deliveries.map(row));
    return [
      table('Deliveries', ['Event', 'Destination', 'Status', 'Attempts', ...(session.may('admin') ? [''] : [])], body),
      moreButton(append, first.page.nextCursor, page),
    ];
  }

  function row(delivery) {
    const { id, destinationId, eventType, eventAt, status: name, dueAt } = delivery;
    const { icon: drawing, label } = DELIVERY_STATUSES[name];
    return h(
      'tr',
      { data: { id: String(id) } },
      h('td', {}, h('code', {}, eventType || 'deleted event'), h('small', { class: 'quiet' }, ago(eventAt, 'ago'))),
      h('td', { class: 'breakable' }, names.get(destinationId) ?? 'Deleted destination'),
      h(
        'td',
        {},
        h('span', { class: 'health', data: { health: name } }, icon(drawing), label),
        dueAt && h('small', { class: 'quiet' }, 'due ', until(dueAt)),
      ),
      h('td', {}, attemptsView(delivery)),
      session.may('admin') && h('td', { class: 'row-actions' }, name !== 'pending' && again(delivery)),
    );
  }

  function again({ id, eventType }) {
    const button = h(
      'button',
      { class: 'quiet-button', 'aria-label': `Send again: ${eventType}`, on: { click: send } },
      'Send again',
    );
    async function send() {
      try {
        await busy(button, () => post(`${DELIVERIES}/${id}/replay`));
        notify('It will be sent again.');
        read(true);
      } catch (error) {
        notify(explain(error), { tone: 'error' });
      }
    }
    return button;
  }

  read();
}

function attemptsView({ attempts, log }) {
  if (attempts === 0) return h('span', { class: 'quiet' }, 'none yet');
  const earlier = attempts - log.length;
  return h(
    'details',
    { class: 'attempts' },
    h('summary', {}, plural(attempts, 'attempt')),
    h(
      'ol',
      {},
      earlier > 0 && h('li', { class: 'quiet' }, `${plural(earlier, 'earlier attempt')}`),
      log.map(({ at, millis, status, failure }) =>
        h('li', {}, exactTime(at), `: ${outcome(status, failure)}, ${millis} ms`),
      ),
    ),
  );
}

const outcome = (status, failure) =>
  failure ? failureWords(failure) : status ? `delivered with status ${status}` : 'delivered';
