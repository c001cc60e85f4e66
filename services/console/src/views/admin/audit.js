// The audit log: authentication events, and decisions on drifts and alerts. Read-only. The filters are in the address.

import { address } from '../../address.js';
import { get } from '../../api.js';
import { fill, h } from '../../dom.js';
import { icon } from '../../icons.js';
import { empty, load } from '../../states.js';
import { exportMenu } from '../drifts/export.js';
import { HEADS, auditBody, authRow, driftRow, words } from './audit_rows.js';
import { moreButton, table } from './table.js';

const DIRECTORY = '/api/auth/users/directory';
const DRIFT_ACTIONS = [
  'create',
  'update',
  'approve',
  'reject',
  'resolve',
  'reopen',
  'supersede',
  'delete',
  'import',
];
const RULES_ACTIONS = ['save', 'restore'];
const ALERT_ACTIONS = ['create', 'read', 'close', 'delete'];
/** The sources; `person` and `object` are their parameters for a person and an object. */
const SOURCES = {
  drift: {
    label: 'Drifts and alerts',
    path: '/api/v1/audit',
    row: driftRow,
    person: 'actor',
    object: 'entityId',
    actions: [
      ...DRIFT_ACTIONS.map((verb) => `drift.${verb}`),
      ...ALERT_ACTIONS.map((verb) => `alert.${verb}`),
      ...RULES_ACTIONS.map((verb) => `rules.${verb}`),
    ],
  },
  auth: {
    label: 'Logins and users',
    path: '/api/auth/audit',
    row: authRow,
    person: 'userId',
    actions: [
      ...[
        'login',
        'login_failed',
        'logout',
        'session_ended',
        'token_refreshed',
        'account_locked',
        'locks_lifted',
      ],
      ...[
        'user_registered',
        'user_imported',
        'user_invited',
        'invitation_revoked',
        'user_updated',
        'profile_updated',
      ],
      ...['user_deleted', 'email_verified', 'email_changed', 'email_restored', 'password_changed'],
      ...['password_change_failed', 'password_reset', 'password_reset_requested', 'password_upgraded'],
      ...['service_token_created', 'service_token_ended'],
    ],
  },
};

/** Shows the log with the filters of the address, and keeps the address up to date. */
export function showAudit(place, signal, query) {
  const log = h('div', {});
  const filters = h('div', { class: 'filter-row' });
  const exporting = exportMenu('/api/v1/audit/export', ['csv', 'json'], asked, signal);
  const wanted = new URLSearchParams(query);
  let reading = new AbortController();
  const sourceName = () => (wanted.get('source') === 'auth' ? 'auth' : 'drift');

  const buttons = Object.entries(SOURCES).map(([name, { label }]) =>
    h(
      'button',
      {
        class: 'chip chip-text',
        data: { name },
        on: { click: () => change({ source: name === 'drift' ? '' : name }, true) },
      },
      label,
    ),
  );

  /** Changes parameters, which are deleted if they are empty. Another source has other parameters. */
  function change(parameters, isAnother = false) {
    if (isAnother) for (const name of [...wanted.keys()]) wanted.delete(name);
    for (const [name, value] of Object.entries(parameters)) {
      if (value) wanted.set(name, value);
      else wanted.delete(name);
    }
    // The view stays: only the log is read again.
    history.replaceState(null, '', address('/admin/audit', wanted));
    read();
  }

  function read() {
    const source = SOURCES[sourceName()];
    for (const button of buttons)
      button.setAttribute('aria-pressed', String(button.dataset.name === sourceName()));
    if (filters.dataset.source !== sourceName()) drawFilters(source);
    for (const tag of filters.querySelectorAll('.tag')) tag.remove();
    if (source.object && wanted.has(source.object)) filters.append(objectTag(source.object));
    reading.abort();
    reading = new AbortController();
    const current = AbortSignal.any([reading.signal, signal]);
    exporting.hidden = sourceName() !== 'drift';
    return load(log, current, () => auditTable(source, asked(), current));
  }

  /** Returns the filters that the source has. */
  function asked() {
    const { person, object } = SOURCES[sourceName()];
    const parameters = ['action', person, object].filter((name) => name && wanted.has(name));
    return Object.fromEntries(parameters.map((name) => [name, wanted.get(name)]));
  }

  function drawFilters(source) {
    filters.dataset.source = sourceName();
    const action = choice(
      'action',
      'Action',
      source.actions.map((name) => [name, words(name)]),
    );
    const who = choice(source.person, source.person === 'actor' ? 'Who' : 'User', []);
    fill(filters, action, who, exporting);
    people(signal).then(
      (known) => addOptions(who, known),
      () => {},
    );
  }

  function choice(name, label, options) {
    const select = h(
      'select',
      { class: 'select', name, 'aria-label': label, on: { change: () => change({ [name]: select.value }) } },
      h('option', { value: '' }, `${label}: any`),
    );
    addOptions(select, options);
    return select;
  }

  /** Adds options, and selects the one of the address, whether it is known or not. */
  function addOptions(select, options) {
    select.querySelector('[data-unknown]')?.remove();
    select.append(...options.map(([value, text]) => h('option', { value }, text)));
    const value = wanted.get(select.name) ?? '';
    const values = [...select.options].map((option) => option.value);
    if (!values.includes(value))
      select.append(h('option', { value, data: { unknown: '' } }, value.slice(0, 40)));
    select.value = value;
  }

  const objectTag = (name) =>
    h(
      'button',
      {
        class: 'tag',
        'aria-label': 'Remove the filter of one object',
        on: { click: () => change({ [name]: '' }) },
      },
      `Object: ${wanted.get(name).slice(0, 8)}`,
      icon('close'),
    );

  fill(place, h('div', { class: 'chips', role: 'group', 'aria-label': 'Audit log' }, buttons), filters, log);
  read();
}

/** Returns the first people of the directory as options, and the service itself. */
async function people(signal) {
  const { data } = await get(DIRECTORY, { limit: 100 }, { signal });
  return [...data.map(({ id, name }) => [id, name]), ['drift-service', 'the service']];
}

/** Returns the logins of a user, and the changes to the account. */
export const auditOf = (userId, signal) => auditTable(SOURCES.auth, { userId, limit: 20 }, signal);

async function auditTable({ path, row, label }, query, signal) {
  const page = (cursor) => get(path, { limit: 50, ...query, cursor }, { signal });
  const first = await page();
  if (first.data.length === 0)
    return empty('admin', 'No entries', 'No entry matches these filters. New entries appear here.');
  const { body, append } = auditBody(row, signal);
  append(first.data);
  return [table(label, HEADS, body), moreButton(append, first.page.nextCursor, page)];
}
