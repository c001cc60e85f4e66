// The command palette: goes to a page, finds stacks, saved views, destinations, users and drifts, and runs actions, by
// keyboard alone.

import { go } from './address.js';
import { get } from './api.js';
import { openDialog } from './dialog.js';
import { fill, h } from './dom.js';
import { explain, plural } from './format.js';
import { icon, severityMark } from './icons.js';
import * as session from './session.js';
import { kindOf } from './views/notifications/kinds.js';
import { DESTINATIONS } from './views/notifications/words.js';

const FOUND = 8;
const PAUSE_MS = 200;
const LONGEST_TEXT = 100;

/** Opens the palette. `entries` are `{label, icon, run}`, in the order of the list. */
export function openPalette(entries) {
  if (document.querySelector('dialog[open]')) return;
  openDialog('Go to', (close) => palette(entries, close));
}

function palette(entries, close) {
  let shown = [];
  let chosen = 0;
  let timer = 0;
  let searching = new AbortController();
  const status = h('p', { class: 'hint', role: 'status' });
  const list = h('ul', {
    id: 'palette-list',
    role: 'listbox',
    class: 'palette-list',
    'aria-label': 'Commands',
  });
  const input = h('input', {
    type: 'text',
    role: 'combobox',
    autocomplete: 'off',
    spellcheck: 'false',
    maxlength: LONGEST_TEXT,
    autofocus: true,
    placeholder: 'A page, an action, a stack, a view or a drift',
    'aria-label': 'Command or text of a drift',
    'aria-controls': list.id,
    'aria-expanded': 'true',
    'aria-autocomplete': 'list',
    on: { input: changed, keydown: pressed },
  });

  /** Shows what fits the text: the commands at once, and what the server finds after a pause. */
  function changed() {
    const text = input.value.trim();
    clearTimeout(timer);
    searching.abort();
    searching = new AbortController();
    draw(fitting(text));
    if (text) timer = setTimeout(() => search(text, searching.signal), PAUSE_MS);
    else say();
  }

  const fitting = (text) => entries.filter(({ label }) => label.toLowerCase().includes(text.toLowerCase()));

  async function search(text, signal) {
    const found = fitting(text);
    const sources = SOURCES.filter(({ role }) => session.may(role));
    const results = await Promise.allSettled(sources.map(({ find }) => find(text, signal)));
    if (signal.aborted) return;
    draw([...found, ...results.flatMap(({ value }) => value ?? [])]);
    const failed = results.find(({ status }) => status === 'rejected');
    if (failed) fill(status, explain(failed.reason));
    else say();
  }

  const say = () =>
    fill(
      status,
      shown.length > 0 ? `${plural(shown.length, 'result')}. Enter opens the chosen one.` : 'No match.',
    );

  function draw(wanted) {
    shown = wanted;
    chosen = 0;
    fill(list, shown.map(option));
    mark();
  }

  const option = (entry, at) =>
    h(
      'li',
      { id: `palette-${at}`, role: 'option', on: { click: () => run(entry) } },
      entry.severity ? severityMark(entry.severity) : icon(entry.icon),
      h('span', {}, entry.label, entry.note && h('small', {}, ` ${entry.note}`)),
    );

  function mark() {
    for (const [at, item] of [...list.children].entries())
      item.setAttribute('aria-selected', String(at === chosen));
    list.children[chosen]?.scrollIntoView({ block: 'nearest' });
    if (shown.length > 0) input.setAttribute('aria-activedescendant', `palette-${chosen}`);
    else input.removeAttribute('aria-activedescendant');
  }

  function pressed(event) {
    const { key, isComposing } = event;
    if (isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[key];
    if (step && shown.length > 0) {
      chosen = (chosen + step + shown.length) % shown.length;
      mark();
    } else if (key === 'Enter' && shown[chosen]) {
      run(shown[chosen]);
    } else return;
    event.preventDefault();
  }

  function run(entry) {
    searching.abort();
    clearTimeout(timer);
    close();
    entry.run();
  }

  changed();
  return [input, list, status];
}

/** Objects that the server finds, in the order of the list. */
const SOURCES = [
  {
    role: 'viewer',
    find: async (q, signal) =>
      (await get('/api/v1/stacks', { q, limit: FOUND }, { signal })).data.map(({ name, status }) => ({
        label: name,
        note: `stack, ${status}`,
        icon: 'stacks',
        run: () => go(`/stacks/${encodeURIComponent(name)}`),
      })),
  },
  {
    role: 'viewer',
    find: async (text, signal) => {
      const { data } = await get('/api/v1/views', {}, { signal });
      const fits = ({ name }) => name.toLowerCase().includes(text.toLowerCase());
      return data.filter(fits).slice(0, FOUND).map(({ name, query }) => ({
        label: name,
        note: 'view',
        icon: 'view',
        run: () => go('/drifts', new URLSearchParams(query)),
      }));
    },
  },
  {
    role: 'engineer',
    find: async (text, signal) => {
      const { data } = await get(DESTINATIONS, {}, { signal });
      const fits = ({ name }) => name.toLowerCase().includes(text.toLowerCase());
      return data.filter(fits).slice(0, FOUND).map(({ id, name, kind }) => ({
        label: name,
        note: `destination, ${kindOf(kind).label}`,
        icon: 'notifications',
        run: () => go(session.may('admin') ? `/notifications/${id}` : '/notifications'),
      }));
    },
  },
  {
    role: 'admin',
    find: async (q, signal) =>
      (await get('/api/auth/users', { q, limit: FOUND }, { signal })).data.map(({ id, name, email }) => ({
        label: name,
        note: email,
        icon: 'account',
        run: () => go(`/admin/users/${id}`),
      })),
  },
  {
    role: 'viewer',
    find: async (q, signal) =>
      (await get('/api/v1/drifts', { q, limit: FOUND }, { signal })).data.map(({ id, address, severity, stack }) => ({
        label: address,
        note: stack,
        severity,
        run: () => go(`/drifts/${id}`, { status: 'any' }),
      })),
  },
];

/** Returns the commands of the current user; `views` are `{name, label, role?}`. */
export const commands = (views, changeTheme) => [
  ...views
    .filter(({ role, below }) => (!role || session.may(role)) && !(below && session.may(below)))
    .map(({ name, label }) => ({ label, icon: name, run: () => go(`/${name}`) })),
  ...(session.may('admin')
    ? ['Users', 'Invitations', 'Tokens', 'Connections', 'Rules', 'Audit'].map((part) => ({
        label: `Admin: ${part}`,
        icon: 'admin',
        run: () => go(`/admin/${part.toLowerCase()}`),
      }))
    : []),
  ...(session.may('engineer')
    ? [{ label: 'Notifications: Deliveries', icon: 'notifications', run: () => go('/notifications/deliveries') }]
    : []),
  ...(session.may('admin')
    ? [{ label: 'Notifications: New destination', icon: 'notifications', run: () => go('/notifications/new') }]
    : []),
  { label: 'Change the colours', icon: 'theme', run: changeTheme },
  { label: 'Log out', icon: 'leave', run: session.logOut },
];
