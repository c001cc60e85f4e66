// The page of one user: facts, actions, sessions, and the audit log of the user.

import { get } from '../../api.js';
import { go } from '../../address.js';
import { configOrUsual } from '../../config.js';
import { fill, h } from '../../dom.js';
import { ago, plural } from '../../format.js';
import { icon } from '../../icons.js';
import { livePlace } from '../../live_place.js';
import * as session from '../../session.js';
import { setTitle } from '../../title.js';
import { verifiedMark } from '../account/email.js';
import { avatar } from '../account/profile.js';
import { deviceView } from '../account/sessions.js';
import { auditOf } from './audit.js';
import {
  USERS,
  actionButton,
  deleteUser,
  endSessions,
  liftLocks,
  lockView,
  sendResetLink,
  toggleActive,
} from './user_actions.js';
import { editUser } from './user_form.js';
import { lastSeen, marks } from './users.js';

export function showUser(place, id, signal) {
  const part = (title, rows, work) => {
    const { place: content, reread } = livePlace(['auth:user', 'auth:session'], 500, signal, work, { rows });
    return {
      reread,
      panel: h('section', { class: 'panel', hidden: title !== null }, title && h('h2', {}, title), content),
    };
  };
  const rereadAll = async () => {
    await Promise.all([head, sessions, audit].map(({ reread }) => reread()));
    // The pressed button is no longer there.
    if (!signal.aborted) place.querySelector('.buttons button')?.focus();
  };
  const head = part(null, 4, async () => {
    const [{ data }, { mail }] = await Promise.all([get(`${USERS}/${id}`, {}, { signal }), configOrUsual()]);
    setTitle(data.name, 'Users', 'Admin');
    // An unknown user has no other parts.
    for (const { panel } of [sessions, audit]) panel.hidden = false;
    return userView(data, mail, rereadAll);
  });
  const sessions = part('Sessions', 2, async () => {
    const [{ data }, sockets] = await Promise.all([
      get(`${USERS}/${id}/sessions`, {}, { signal }),
      socketsOf(id, signal),
    ]);
    if (data.length === 0) return h('p', { class: 'quiet' }, 'Not logged in anywhere.');
    return h(
      'ul',
      { class: 'sessions' },
      data.map((entry) => deviceView(entry, socketsView(sockets, entry.id))),
    );
  });
  const audit = part('Audit', 4, () => auditOf(id, signal));
  fill(
    place,
    h(
      'p',
      { class: 'back-line' },
      h('a', { class: 'text-link', href: '#/admin/users' }, icon('back'), 'All users'),
    ),
    head.panel,
    sessions.panel,
    audit.panel,
  );
}

/** Returns the open sockets of a user; none if the gateway does not respond, which must not hide the sessions. */
async function socketsOf(id, signal) {
  const listed = await get(`/api/realtime/users/${id}/connections`, {}, { signal }).catch(() => null);
  return listed?.data.connections ?? [];
}

function socketsView(sockets, sessionId) {
  const own = sockets.filter(({ sid }) => sid === sessionId);
  return h(
    'span',
    { class: 'quiet' },
    own.length === 0 ? 'no open socket' : plural(own.length, 'open socket'),
  );
}

function userView(user, mail, reread) {
  const isSelf = user.id === session.user().id;
  const button = (text, click, style = 'button') => actionButton(text, user, click, style);
  const then = (work) => async (pressed) => (await work(pressed, user)) && reread();
  return [
    h(
      'div',
      { class: 'profile-head' },
      avatar(user.name),
      h(
        'p',
        {},
        h('strong', {}, user.name),
        marks({ isActive: user.isActive }, isSelf),
        h('small', {}, user.email, ' ', verifiedMark(user.emailVerifiedAt)),
      ),
    ),
    h(
      'dl',
      { class: 'facts facts-user' },
      facts(user).map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))),
    ),
    h(
      'div',
      { class: 'buttons' },
      button('Edit', async () => (await editUser(user)) && reread()),
      mail && user.isActive && button('Send reset link', (pressed) => sendResetLink(pressed, user)),
      user.locks.length > 0 && button('Lift locks', then(liftLocks)),
      button('End sessions', then(endSessions)),
      !isSelf && button(user.isActive ? 'Disable' : 'Enable', then(toggleActive)),
      !isSelf &&
        button(
          'Delete',
          async (pressed) => (await deleteUser(pressed, user)) && go('/admin/users'),
          'button button-danger',
        ),
    ),
  ];
}

const facts = (user) =>
  [
    user.pendingEmail && ['New email', [user.pendingEmail, ' (not confirmed)']],
    ['Role', user.role],
    ['Account', user.accountId ?? 'all accounts'],
    ['Created', ago(user.createdAt, 'ago')],
    ['Last login', ago(user.lastLoginAt, 'ago')],
    ['Last seen', ago(lastSeen(user), 'ago')],
    user.locks.length > 0 && ['Locks', user.locks.map(lockView)],
  ].filter(Boolean);
