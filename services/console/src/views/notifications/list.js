// The list of destinations, with their health, live.

import { get } from '../../api.js';
import { fill, h } from '../../dom.js';
import { ago, plural, until } from '../../format.js';
import { icon } from '../../icons.js';
import { livePlace } from '../../live_place.js';
import * as session from '../../session.js';
import { empty } from '../../states.js';
import { table } from '../admin/table.js';
import { actionsOf } from './actions.js';
import { kindOf } from './kinds.js';
import { DESTINATIONS, HEALTHS, failureWords, ruleWords, scheduleWords } from './words.js';

const OFTEN_MS = 400;
const PREFIX = 'notification:destination_';

export function showDestinations(place, signal) {
  /** The last result of a test by the id of its destination. It outlasts a new list. */
  const results = new Map();
  const { place: list, reread } = livePlace([PREFIX], OFTEN_MS, signal, read, { rows: 4 });
  fill(place, head(), list);

  async function read() {
    const { data } = await get(DESTINATIONS, {}, { signal });
    if (data.length === 0) return nothing();
    const failing = data.filter(({ health }) => health === 'failing');
    return [
      failing.length > 0 && session.may('admin') && banner(failing),
      table(
        'Destinations',
        ['Name', 'Receives', 'State', ...(session.may('admin') ? [''] : [])],
        h('tbody', {}, data.map(row)),
      ),
    ];
  }

  function row(destination) {
    const { id, name, kind, shown, rules, schedule } = destination;
    const result = h('p', { class: 'test-result', role: 'status' });
    const draw = () => fill(result, results.has(id) && resultView(results.get(id)));
    const tested = (_, outcome) => {
      results.set(id, { ...outcome, at: new Date().toISOString() });
      draw();
    };
    draw();
    return h(
      'tr',
      { data: { id } },
      h(
        'td',
        { class: 'destination-name' },
        h('strong', {}, name),
        h('small', { class: 'quiet' }, `${kindOf(kind).label} · ${shown}`),
      ),
      h(
        'td',
        { class: 'destination-rules' },
        h('p', {}, ruleWords(rules)),
        h('small', { class: 'quiet' }, scheduleWords(schedule)),
      ),
      h('td', {}, healthView(destination), result),
      session.may('admin') &&
        h('td', { class: 'row-actions' }, actionsOf(destination, { tested, reread, signal })),
    );
  }
}

const head = () =>
  h(
    'div',
    { class: 'filter-row' },
    h('p', { class: 'quiet grow' }, 'A destination receives the events that its rules choose, also while no console is open.'),
    session.may('admin') &&
      h('a', { class: 'button button-primary', href: '#/notifications/new' }, icon('notifications'), 'New destination'),
  );

const nothing = () =>
  session.may('admin')
    ? empty(
        'notifications',
        'No destination',
        'Begin with the chat of your team: create an incoming webhook in Slack or Teams, and enter its URL here.',
        h('a', { class: 'button', href: '#/notifications/new' }, 'Create the first destination'),
      )
    : empty('notifications', 'No destination', 'An admin can create one: a chat, a pager, mails, or a webhook.');

const banner = (failing) =>
  h(
    'p',
    { class: 'banner banner-warning', role: 'status' },
    icon('trouble'),
    `Deliveries to ${failing.length === 1 ? failing[0].name : plural(failing.length, 'destination')} fail. DriftSentry tries again by itself.`,
  );

function healthView({ health, lastFailure, failingSince, blockedUntil }) {
  const { icon: drawing, label } = HEALTHS[health] ?? HEALTHS.off;
  return [
    h('span', { class: 'health', data: { health } }, icon(drawing), label),
    lastFailure && h('small', {}, `Last failure: ${failureWords(lastFailure)}.`),
    failingSince &&
      h(
        'small',
        { class: 'quiet' },
        'First failed ',
        ago(failingSince, 'ago'),
        blockedUntil && [', next attempt ', until(blockedUntil)],
      ),
  ];
}

/** Returns the result of a test in words. */
const resultView = ({ isDelivered, status, failure, millis, at }) => [
  isDelivered ? 'Test delivered' : `Test failed: ${failureWords(failure)}`,
  status && isDelivered && ` with status ${status}`,
  ` in ${millis} ms, `,
  ago(at, 'ago'),
];
