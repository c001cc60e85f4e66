// Users: search and filters, role, disable, end sessions, lift locks. Each name leads to the page of the user.

import { get, patch } from '../../api.js';
import { configOrUsual } from '../../config.js';
import { fill, h } from '../../dom.js';
import { ago } from '../../format.js';
import { icon } from '../../icons.js';
import { notify } from '../../notice.js';
import * as session from '../../session.js';
import { empty, load } from '../../states.js';
import { inviteUser } from './invite.js';
import { moreButton, table } from './table.js';
import * as actions from './user_actions.js';
import { ROLES, USERS, actionButton, lockView } from './user_actions.js';
import { createUser } from './user_form.js';

const FILTERS = {
  role: ['Role', ROLES.map((role) => [role, role])],
  isActive: [
    'State',
    [
      ['true', 'active'],
      ['false', 'disabled'],
    ],
  ],
  verified: [
    'Email',
    [
      ['true', 'verified'],
      ['false', 'not verified'],
    ],
  ],
};
const HEADS = ['Name', 'Role', 'Last seen', 'Created', ''];

/** Shows the users. `kept` has the search and the filters of the last visit. */
export function showUsers(place, signal, kept) {
  const list = h('div', {});
  let timer = 0;
  const search = h('input', {
    type: 'search',
    class: 'search-input',
    placeholder: 'Search name or email',
    'aria-label': 'Search users',
    value: kept.q ?? '',
    on: {
      input() {
        clearTimeout(timer);
        timer = setTimeout(read, 250);
      },
    },
  });
  const filters = Object.entries(FILTERS).map(([name, [label, values]]) =>
    h(
      'select',
      { class: 'select', name, 'aria-label': label, on: { change: () => read() } },
      h('option', { value: '' }, `${label}: any`),
      values.map(([value, text]) => h('option', { value, selected: kept[name] === value }, text)),
    ),
  );
  const page = (cursor) => get(USERS, { ...kept, limit: 50, cursor }, { signal });
  const read = () => {
    kept.q = search.value.trim();
    for (const { name, value } of filters) kept[name] = value;
    return load(list, signal, async () => {
      const first = await page();
      if (first.data.length === 0)
        return empty('search', 'No user found', 'No user matches this search and these filters.');
      const body = h('tbody', {}, first.data.map(userRow));
      const append = (users) => body.append(...users.map(userRow));
      return [table('Users', HEADS, body), moreButton(append, first.page.nextCursor, page)];
    });
  };

  const invite = h('button', { class: 'button', hidden: true, on: { click: () => inviteUser() } }, 'Invite');
  configOrUsual().then(({ mail, signup }) => (invite.hidden = !mail || signup === 'off'));
  const create = () => createUser().then((user) => user && read());
  fill(
    place,
    h(
      'div',
      { class: 'filter-row' },
      h('div', { class: 'search' }, icon('search'), search),
      filters,
      h('span', { class: 'grow' }),
      invite,
      h('button', { class: 'button button-primary', on: { click: create } }, 'New user'),
    ),
    list,
  );
  read();
}

function userRow(user) {
  const row = h('tr', {});
  const draw = (now) => {
    const role = h(
      'select',
      { class: 'select', 'aria-label': `Role of ${now.name}`, on: { change: assign } },
      ROLES.map((value) => h('option', { value, selected: value === now.role }, value)),
    );
    async function assign() {
      const wanted = role.value;
      const isSure = await actions.mayChangeRole(now, wanted);
      const changed =
        isSure && (await actions.attempt(role, () => patch(`${USERS}/${now.id}`, { role: wanted })));
      draw(changed ? { ...now, ...changed.data } : now);
      if (changed) notify(`${now.name} is now ${wanted}.`);
    }
    const turn = async (button) => {
      const changed = await actions.toggleActive(button, now);
      if (changed) draw({ ...now, ...changed });
    };
    const lift = async (button) => (await actions.liftLocks(button, now)) && draw({ ...now, locks: [] });
    const isSelf = now.id === session.user().id;
    const focused = row.contains(document.activeElement) && document.activeElement.closest('td').cellIndex;
    row.classList.toggle('is-off', !now.isActive);
    fill(
      row,
      h(
        'td',
        {},
        h('a', { class: 'user-link', href: `#/admin/users/${now.id}` }, now.name),
        marks(now, isSelf),
        h('small', {}, now.email),
        now.locks.map(lockView),
      ),
      h('td', {}, role),
      h('td', {}, ago(lastSeen(now), 'ago')),
      h('td', {}, ago(now.createdAt, 'ago')),
      h(
        'td',
        { class: 'row-actions' },
        now.locks.length > 0 && actionButton('Lift locks', now, lift),
        actionButton('End sessions', now, (button) => actions.endSessions(button, now)),
        !isSelf && actionButton(now.isActive ? 'Disable' : 'Enable', now, turn),
      ),
    );
    // The focus is not lost with the pressed button.
    if (focused !== false) row.cells[focused].querySelector('a, button, select')?.focus();
  };
  draw(user);
  return row;
}

/** Returns the tags of a user. */
export const marks = ({ isActive, emailVerifiedAt }, isSelf) => [
  isSelf && h('span', { class: 'tag tag-here' }, 'you'),
  !isActive && h('span', { class: 'tag' }, 'disabled'),
  emailVerifiedAt === null && h('span', { class: 'tag' }, 'not verified'),
];

export const lastSeen = ({ lastActivityAt, lastLoginAt }) => lastActivityAt ?? lastLoginAt;
