// The audit log: authentication events, and decisions on drifts and alerts. Read-only.

import { get } from '../../api.js';
import { fill, h } from '../../dom.js';
import { ago } from '../../format.js';
import { knowNames, nameOf } from '../../people.js';
import { empty, load } from '../../states.js';
import { moreButton } from './users.js';

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
    const { path, row, label } = SOURCES[name];
    const page = (cursor) => get(path, { limit: 50, cursor }, { signal });
    return load(table, signal, async () => {
      const [first] = await Promise.all([page(), knowNames()]);
      if (first.data.length === 0)
        return empty('admin', 'No entries yet', 'New entries appear here.');
      const heads = ['When', 'What', 'Who', 'About'].map((text) => h('th', { scope: 'col' }, text));
      const body = h('tbody', {}, first.data.map(row));
      return [
        h(
          'div',
          { class: 'table-scroll', tabindex: '0', role: 'region', 'aria-label': label },
          h('table', { class: 'table' }, h('thead', {}, h('tr', {}, heads)), body),
        ),
        moreButton(body, first.page.nextCursor, page, row),
      ];
    });
  };
  fill(place, h('div', { class: 'chips', role: 'group', 'aria-label': 'Audit log' }, buttons), table);
  read('drift');
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
  const subject = actorId && actorId !== userId ? `about ${nameOf(userId)}` : null;
  return cells(
    ago(createdAt, 'ago'),
    h('strong', {}, words(action)),
    userId || actorId ? nameOf(actorId ?? userId) : 'unknown',
    [[subject, detail, ipAddress].filter(Boolean).join(' · ')],
  );
}

function driftRow({ action, actor, entity, entityId, from, to, reason, at }) {
  const step = from && to && from !== to ? `${from} → ${to}` : to;
  return cells(ago(at, 'ago'), h('strong', {}, words(action)), nameOf(actor), [
    entity === 'drift' ? h('a', { href: `#/drifts/${entityId}` }, step ?? 'drift') : step,
    reason && h('small', {}, `"${reason}"`),
  ]);
}
