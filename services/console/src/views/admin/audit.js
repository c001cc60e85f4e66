// The audit log: authentication events, and decisions on drifts and alerts. Read-only.

import { get } from '../../api.js';
import { fill, h } from '../../dom.js';
import { ago } from '../../format.js';
import { nameOf } from '../../people.js';
import { empty, load } from '../../states.js';
import { moreButton, table } from './table.js';

const SOURCES = {
  auth: { label: 'Logins and users', path: '/api/auth/audit', row: authRow },
  drift: { label: 'Drifts and alerts', path: '/api/v1/audit', row: driftRow },
};

export function showAudit(place, signal) {
  const table = h('div', {});
  const buttons = Object.entries(SOURCES).map(([name, { label }]) =>
    h('button', { class: 'chip chip-text', data: { name }, on: { click: () => read(name) } }, label),
  );
  const read = (name) => {
    for (const button of buttons) button.setAttribute('aria-pressed', String(button.dataset.name === name));
    return load(table, signal, () => auditTable(SOURCES[name], {}, signal));
  };
  fill(place, h('div', { class: 'chips', role: 'group', 'aria-label': 'Audit log' }, buttons), table);
  read('drift');
}

/** Returns the logins of a user, and the changes to the account. */
export const auditOf = (userId, signal) => auditTable(SOURCES.auth, { userId, limit: 20 }, signal);

async function auditTable({ path, row, label }, query, signal) {
  const page = (cursor) => get(path, { limit: 50, ...query, cursor }, { signal });
  const first = await page();
  if (first.data.length === 0) return empty('admin', 'No entries yet', 'New entries appear here.');
  const body = h('tbody', {}, first.data.map(row));
  return [
    table(label, ['When', 'What', 'Who', 'About'], body),
    moreButton(body, first.page.nextCursor, page, row),
  ];
}

const DONE = {
  create: 'created',
  approve: 'approved',
  reject: 'rejected',
  resolve: 'resolved',
  reopen: 'reopened',
  update: 'updated',
  delete: 'deleted',
  see: 'seen again',
};

/** Actions whose stored name differs from the words of the console. */
const NAMED = { service_token_ended: 'Service token revoked' };

/** Turns `drift.approve` into `Drift approved`, and `login_failed` into `Login failed`. */
const words = (action) => {
  if (NAMED[action]) return NAMED[action];
  const text = action.replace(/\.(\w+)$/, (whole, verb) => ` ${DONE[verb] ?? verb}`).replaceAll('_', ' ');
  return text[0].toUpperCase() + text.slice(1);
};

const cells = (...contents) =>
  h(
    'tr',
    {},
    contents.map((content) => h('td', {}, content)),
  );

function authRow({ action, userId, actorId, detail, ipAddress, createdAt }) {
  const subject = actorId && userId && actorId !== userId ? ['about ', nameOf(userId)] : null;
  const about = [subject, detail, ipAddress].filter(Boolean);
  return cells(
    ago(createdAt, 'ago'),
    h('strong', {}, words(action)),
    userId || actorId ? nameOf(actorId ?? userId) : 'unknown',
    about.map((part, at) => [at > 0 && ' · ', part]),
  );
}

function driftRow({ action, actor, entity, entityId, from, to, reason, at }) {
  const step = from && to && from !== to ? `${from} → ${to}` : to;
  return cells(ago(at, 'ago'), h('strong', {}, words(action)), nameOf(actor), [
    entity === 'drift' ? h('a', { href: `#/drifts/${entityId}` }, step ?? 'drift') : step,
    reason && h('small', {}, `"${reason}"`),
  ]);
}
