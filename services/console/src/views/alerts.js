// Alerts, grouped by stack and scan, live. The filters are in the address.

import { get, post } from '../api.js';
import { fill, h } from '../dom.js';
import { ago, explain, plural } from '../format.js';
import { icon, severityMark } from '../icons.js';
import { onLive, throttled } from '../live.js';
import { notify, say } from '../notice.js';
import { go } from '../address.js';
import { nameOf } from '../people.js';
import * as session from '../session.js';
import { busy, empty, failed, skeleton } from '../states.js';
import { onSummary, readSummary } from '../summary.js';
import { AlertGroups } from './alerts/groups.js';
import { driftsOf, stackAddress } from './stacks/words.js';

const PAGE = 30;
const ALERTS = '/api/v1/alerts';

const SEVERITIES = ['critical', 'warning', 'info'];
const TYPES = {
  drift_detected: 'Drift detected',
  severity_escalated: 'Severity escalated',
  approval_needed: 'Approval needed',
  remediation_failed: 'Remediation failed',
  stack_silent: 'No scan arrives',
  approval_expired: 'Approval expired',
  snooze_ended: 'Snooze ended',
};

export function show(main, found, signal) {
  let query = found.query;
  let cursor = null;
  let reading = new AbortController();
  const items = new Map();
  const groups = new AlertGroups();
  const place = h('div', {});
  const more = h(
    'button',
    { class: 'button', hidden: true, on: { click: () => busy(more, () => read(cursor)) } },
    'Older alerts',
  );
  const unread = h('span', { class: 'quiet' });
  const readAll = h(
    'button',
    { class: 'button', on: { click: () => busy(readAll, markAll) } },
    icon('check'),
    'Mark all as read',
  );
  const tabs = [
    ['Unread', null],
    ['All', ''],
  ].map(([label, all]) => h('button', { class: 'tab', on: { click: () => choose('all', all) } }, label));
  const filters = [
    choice(
      'severity',
      'Severity',
      SEVERITIES.map((name) => [name, name]),
    ),
    choice('type', 'Type', Object.entries(TYPES)),
  ];

  fill(
    main,
    h(
      'header',
      { class: 'view-head' },
      h('h1', {}, 'Alerts'),
      unread,
      h(
        'div',
        { class: 'view-actions' },
        session.may('engineer') && h('a', { class: 'button', href: '#/notifications' }, 'Destinations'),
        readAll,
      ),
    ),
    h('div', { class: 'tabs', role: 'group', 'aria-label': 'Filter alerts' }, tabs),
    h('div', { class: 'alert-filters' }, filters),
    groups.element,
    place,
    h('div', { class: 'list-end' }, more),
  );
  onSummary(({ unreadAlerts }) => {
    fill(unread, unreadAlerts ? `${plural(unreadAlerts, 'alert')} unread` : 'none unread');
    readAll.disabled = unreadAlerts === 0;
  }, signal);

  const again = throttled(700, () => merge(), signal);
  onLive('alert:created', again, signal);
  onLive('resync', () => start(), signal);
  for (const type of ['alert:read', 'alert:closed'])
    onLive(type, (events) => events.forEach(({ payload }) => shownAsRead(payload.id)), signal);
  onLive('alert:all_read', () => [...items.keys()].forEach(shownAsRead), signal);

  const isUnreadOnly = () => !query.has('all');

  /** Changes the filters, which are in the address. Null removes one. */
  function choose(name, value) {
    const changed = new URLSearchParams(query);
    if (value === null) changed.delete(name);
    else changed.set(name, value);
    go('/alerts', changed, { replace: true });
  }

  function choice(name, label, options) {
    const select = h(
      'select',
      {
        class: 'select',
        name,
        'aria-label': label,
        on: { change: () => choose(name, select.value || null) },
      },
      h('option', { value: '' }, `${label}: any`),
      options.map(([value, text]) => h('option', { value }, text)),
    );
    return select;
  }

  function start() {
    reading.abort();
    reading = new AbortController();
    items.clear();
    groups.clear();
    more.hidden = true;
    tabs[0].setAttribute('aria-pressed', String(isUnreadOnly()));
    tabs[1].setAttribute('aria-pressed', String(!isUnreadOnly()));
    for (const select of filters) select.value = query.get(select.name) ?? '';
    fill(place, skeleton(5));
    return read();
  }

  const page = (from) =>
    get(
      ALERTS,
      {
        limit: PAGE,
        cursor: from,
        isRead: isUnreadOnly() ? false : null,
        severity: query.get('severity'),
        type: query.get('type'),
      },
      { signal: AbortSignal.any([reading.signal, signal]) },
    );

  async function read(from) {
    try {
      const { data, page: place } = await page(from);
      add(data);
      cursor = place.nextCursor;
      tidy();
    } catch (error) {
      if (error.name !== 'AbortError') fill(place, failed(error, start));
    }
  }

  /** Adds new alerts at the top. */
  async function merge() {
    if (items.size === 0) return start();
    const { data, page: info } = await page().catch(() => ({ data: [] }));
    const fresh = data.filter(({ id }) => !items.has(id));
    // More alerts arrived than a page holds, so there may be a gap.
    if (fresh.length === data.length && info?.nextCursor) return start();
    add(fresh, 'arriving');
    if (fresh.length > 0) say(plural(fresh.length, 'new alert'));
    tidy();
  }

  function tidy() {
    more.hidden = !cursor;
    if (items.size > 0) fill(place);
    else if (query.has('severity') || query.has('type'))
      fill(place, empty('search', 'No match', 'No alert matches these filters.'));
    else if (isUnreadOnly())
      fill(
        place,
        empty('check', 'All read', 'No alert needs your attention. New alerts appear here automatically.'),
      );
    else
      fill(
        place,
        empty(
          'alerts',
          'No alerts yet',
          'A critical drift raises an alert, and so does a drift that becomes critical.',
        ),
      );
  }

  function add(alerts, className) {
    const entries = alerts
      .filter(({ id }) => !items.has(id))
      .map((alert) => ({ alert, element: alertView(alert, markRead, className) }));
    for (const { alert, element } of entries) items.set(alert.id, element);
    groups.add(entries, className === 'arriving');
  }

  function shownAsRead(id) {
    const item = items.get(id);
    if (!item) return;
    item.classList.add('is-read');
    item.querySelector('.alert-read')?.remove();
  }

  async function markRead(id, button) {
    await busy(button, () => post(`${ALERTS}/${id}/read`))
      .then(() => {
        const item = items.get(id);
        const others = [...groups.element.querySelectorAll('.alert')];
        const at = others.indexOf(item);
        (others[at + 1] ?? others[at - 1])?.querySelector('a, button')?.focus();
        shownAsRead(id);
        readSummary();
      })
      .catch((error) => notify(explain(error), { tone: 'error' }));
  }

  async function markAll() {
    try {
      await post(`${ALERTS}/read-all`);
      for (const id of items.keys()) shownAsRead(id);
      readSummary();
    } catch (error) {
      notify(explain(error), { tone: 'error' });
    }
  }

  start();
  return ({ query: now }) => {
    query = now;
    start();
  };
}

function alertView(alert, markRead, className = '') {
  const { id, severity, title, message, createdAt, isRead, readBy } = alert;
  const address = addressOf(alert);
  const read = h(
    'button',
    {
      class: 'quiet-button alert-read',
      'aria-label': `Mark read: ${title}`,
      on: { click: () => markRead(id, read) },
    },
    icon('check'),
    'Mark read',
  );
  return h(
    'li',
    { class: `alert ${className} ${isRead ? 'is-read' : ''}` },
    severityMark(severity),
    h(
      'div',
      { class: 'alert-text' },
      h('p', {}, address ? h('a', { href: address }, title) : h('strong', {}, title)),
      h('p', { class: 'quiet' }, message, isRead && readBy && [' · read by ', nameOf(readBy)]),
    ),
    ago(createdAt, 'ago'),
    !isRead && read,
  );
}

/** Returns the address of what the alert is about, or null. */
function addressOf({ driftId, stack, type }) {
  if (driftId) return `#/drifts/${driftId}`;
  if (!stack) return null;
  return type === 'stack_silent' ? stackAddress(stack) : driftsOf(stack);
}
