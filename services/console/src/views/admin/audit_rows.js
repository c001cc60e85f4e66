// The rows of the audit log. The rows of one request, such as a scan, are folded under one line.

import { fill, h } from '../../dom.js';
import { count, exactTime, plural } from '../../format.js';
import { objectsOf } from '../../objects.js';
import { nameOf } from '../../people.js';

export const HEADS = ['When', 'What', 'Who', 'Object', 'About'];
/** A decision on one drift also has the rows of its alerts, which are few. */
const FEW = 3;

const DONE = {
  create: 'created',
  approve: 'approved',
  reject: 'rejected',
  resolve: 'resolved',
  reopen: 'reopened',
  update: 'updated',
  delete: 'deleted',
  see: 'seen again',
  supersede: 'superseded',
  expire: 'approval expired',
  comment: 'commented on',
  uncomment: 'comment deleted',
  read: 'read',
  close: 'closed',
  import: 'imported',
  save: 'saved',
  restore: 'restored',
};

/** Actions whose stored name differs from the words of the console. */
const NAMED = { service_token_ended: 'Service token revoked' };

/** Turns `drift.approve` into `Drift approved`, and `login_failed` into `Login failed`. */
export const words = (action) => {
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

const person = (id) => {
  const isUser = /^[\da-f]{8}-/i.test(id ?? '');
  return isUser ? h('a', { href: `#/admin/users/${id}` }, nameOf(id)) : nameOf(id);
};

export function authRow({ action, userId, actorId, detail, ipAddress, createdAt }) {
  const who = actorId ?? userId;
  return cells(
    exactTime(createdAt),
    h('strong', {}, words(action)),
    who ? person(who) : 'unknown',
    userId ? person(userId) : '–',
    [detail, ipAddress].filter(Boolean).join(' · '),
  );
}

export function driftRow({ action, actor, entity, entityId, from, to, reason, at }) {
  return cells(exactTime(at), h('strong', {}, words(action)), person(actor), objectLink(entity, entityId), [
    from && to && from !== to ? `${from} → ${to}` : to,
    reason && h('small', {}, `"${reason}"`),
  ]);
}

/** Returns a link to the drift or alert. Its address or title follows. */
function objectLink(entity, id) {
  const text = `${entity} ${id.slice(0, 8)}`;
  const all = h(
    'a',
    { class: 'quiet', href: `#/admin/audit?entityId=${id}`, title: 'All entries about this object' },
    'entries',
  );
  if (entity === 'other') return [text, ' · ', all];
  if (entity === 'rules') return [h('a', { href: '#/admin/rules' }, 'rules'), ' · ', all];
  const href = entity === 'drift' ? `#/drifts/${id}` : '#/alerts?all=';
  return [h('a', { class: 'object', href, data: { entity, id } }, text), ' · ', all];
}

/** Names the objects of the shown rows in `place`. */
export async function nameObjects(place, signal) {
  const links = [...place.querySelectorAll('tr:not([hidden]) a.object[data-id]')];
  for (const entity of ['drift', 'alert']) {
    const own = links.filter(({ dataset }) => dataset.entity === entity);
    const objects = await objectsOf(
      entity,
      own.map(({ dataset }) => dataset.id),
      signal,
    );
    if (signal.aborted) return;
    for (const link of own) nameObject(link, objects.get(link.dataset.id));
  }
}

function nameObject(link, object) {
  if (object === undefined) return;
  delete link.dataset.id;
  if (object === null) return link.replaceWith(`${link.textContent} (deleted)`);
  link.textContent = object.address ?? object.title;
  if (object.driftId) link.href = `#/drifts/${object.driftId}`;
}

/** Returns the body of a table, and the function that appends entries to it. */
export function auditBody(row, signal) {
  const body = h('tbody', {});
  let group = null;
  const append = (entries) => {
    const grown = new Set();
    for (const entry of entries) {
      const element = row(entry);
      const isSame = entry.ownRequestId && group?.request === entry.ownRequestId;
      if (!isSame) group = { request: entry.ownRequestId, rows: [], head: null, isOpen: false };
      group.rows.push({ entry, element });
      body.append(element);
      grown.add(group);
    }
    for (const one of grown) if (concernsMany(one)) drawHead(one, signal);
    nameObjects(body, signal);
  };
  return { body, append };
}

function concernsMany({ rows }) {
  const drifts = new Set(
    rows.filter(({ entry }) => entry.entity === 'drift').map(({ entry }) => entry.entityId),
  );
  return drifts.size > 1 || rows.length > FEW;
}

/** Draws the line that stands for the rows of one request. */
function drawHead(group, signal) {
  const { rows } = group;
  const [{ entry, element: first }] = rows;
  const button = h(
    'button',
    { class: 'link-button fold', type: 'button', on: { click: toggle } },
    h('span', { class: 'fold-sign', 'aria-hidden': 'true' }),
    summaryOf(rows),
  );
  const draw = () => {
    button.setAttribute('aria-expanded', String(group.isOpen));
    for (const { element } of rows) {
      element.classList.add('is-part');
      element.hidden = !group.isOpen;
    }
  };
  function toggle() {
    group.isOpen = !group.isOpen;
    draw();
    if (group.isOpen) nameObjects(first.parentElement, signal);
  }
  if (!group.head) first.before((group.head = h('tr', { class: 'is-fold' })));
  const reasons = new Set(rows.map((row) => row.entry.reason).filter(Boolean));
  fill(
    group.head,
    h('td', {}, exactTime(entry.at)),
    h('td', {}, button),
    h('td', {}, person(entry.actor)),
    h('td', {}, `${count(rows.length)} entries of one request`),
    h('td', {}, reasons.size === 1 && h('small', {}, `"${[...reasons][0]}"`)),
  );
  draw();
}

/** `20 drifts created, 14 alerts created`. */
function summaryOf(rows) {
  const counts = Map.groupBy(rows, ({ entry }) => entry.action);
  const isOfDrifts = ([action]) => action.startsWith('drift.');
  return [...counts]
    .sort((one, other) => isOfDrifts(other) - isOfDrifts(one))
    .map(([action, { length }]) => {
      const [noun, verb] = action.split('.');
      // There is one list of rules.
      if (noun === 'rules') return words(action).toLowerCase();
      return verb ? `${plural(length, noun)} ${DONE[verb] ?? verb}` : `${length} × ${words(action)}`;
    })
    .join(', ');
}
