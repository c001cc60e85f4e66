// Users: search, role, disable, end sessions, lift locks.

import { get, patch, remove } from '../../api.js';
import { confirmFirst } from '../../dialog.js';
import { fill, h } from '../../dom.js';
import { ago, explain, plural, until } from '../../format.js';
import { icon } from '../../icons.js';
import { notify } from '../../notice.js';
import * as session from '../../session.js';
import { busy, empty, load } from '../../states.js';

const USERS = '/api/auth/users';
const ROLES = ['viewer', 'engineer', 'admin'];

export function showUsers(place, signal) {
  const table = h('div', {});
  let timer = 0;
  const search = h('input', {
    type: 'search',
    class: 'search-input',
    placeholder: 'Search name or email',
    'aria-label': 'Search users',
    on: {
      input() {
        clearTimeout(timer);
        timer = setTimeout(read, 250);
      },
    },
  });
  const page = (cursor) => get(USERS, { q: search.value.trim(), limit: 50, cursor }, { signal });

  function read() {
    return load(table, signal, async () => {
      const first = await page();
      if (first.data.length === 0)
        return empty('search', 'No user found', 'No name or email contains this text.');
      const body = h('tbody', {}, first.data.map(userRow));
      return [usersTable(body), moreButton(body, first.page.nextCursor, page)];
    });
  }
  fill(
    place,
    h('div', { class: 'filter-row' }, h('div', { class: 'search' }, icon('search'), search)),
    table,
  );
  read();
}

function usersTable(body) {
  const column = (label, name) => h('th', { scope: 'col', class: name }, label);
  const heads = [
    column('Name'),
    column('Role'),
    column('Last login', 'wide-only'),
    column('Created', 'wide-only'),
    column(h('span', { class: 'unseen' }, 'Actions')),
  ];
  return h(
    'div',
    { class: 'table-scroll', tabindex: '0', role: 'region', 'aria-label': 'Users' },
    h('table', { class: 'table' }, h('thead', {}, h('tr', {}, heads)), body),
  );
}

export function moreButton(body, cursor, page, row = userRow) {
  if (!cursor) return null;
  const more = h('button', { class: 'button', on: { click: () => busy(more, read) } }, 'More');
  async function read() {
    try {
      const next = await page(cursor);
      body.append(...next.data.map(row));
      cursor = next.page.nextCursor;
      if (!cursor) more.remove();
    } catch (error) {
      notify(explain(error), { tone: 'error' });
    }
  }
  return more;
}

function userRow(user) {
  const row = h('tr', {});
  const draw = (now) => {
    const isSelf = now.id === session.user().id;
    const change = async (control, fields, text) => {
      try {
        const { data } = await busy(control, () => patch(`${USERS}/${now.id}`, fields));
        draw({ ...data, locks: now.locks });
        notify(text);
      } catch (error) {
        draw(now);
        notify(explain(error), { tone: 'error' });
      }
    };
    const role = h(
      'select',
      {
        class: 'select',
        'aria-label': `Role of ${now.name}`,
        on: { change: assign },
      },
      ROLES.map((value) => h('option', { value, selected: value === now.role }, value)),
    );
    const toggle = h(
      'button',
      {
        class: 'quiet-button',
        'aria-label': `${now.isActive ? 'Disable' : 'Enable'} ${now.name}`,
        on: { click: turn },
      },
      now.isActive ? 'Disable' : 'Enable',
    );
    const end = h(
      'button',
      {
        class: 'quiet-button',
        'aria-label': `End sessions of ${now.name}`,
        on: { click: () => endSessions(end, now) },
      },
      'End sessions',
    );
    const lift = h(
      'button',
      {
        class: 'quiet-button',
        'aria-label': `Lift locks of ${now.name}`,
        on: { click: () => liftLocks(lift, now, () => draw({ ...now, locks: [] })) },
      },
      'Lift locks',
    );
    async function assign() {
      if (now.role === 'admin') {
        const text = `The service tokens that ${now.name} created stop working at once.`;
        if (!(await confirmFirst(`Change ${now.name} to ${role.value}?`, text, 'Change role'))) return draw(now);
      }
      await change(role, { role: role.value }, `${now.name} is now ${role.value}.`);
    }
    async function turn() {
      const tokens = now.role === 'admin' ? ' The service tokens of this user stop working.' : '';
      const text = `${now.name} is logged out everywhere at once, and cannot log in until you enable the account again.${tokens}`;
      if (now.isActive && !(await confirmFirst(`Disable ${now.name}?`, text, 'Disable'))) return;
      await change(
        toggle,
        { isActive: !now.isActive },
        `${now.name} is ${now.isActive ? 'disabled' : 'enabled'}.`,
      );
    }
    row.classList.toggle('is-off', !now.isActive);
    fill(
      row,
      h(
        'td',
        {},
        h('strong', {}, now.name),
        isSelf && h('span', { class: 'tag tag-here' }, 'you'),
        !now.isActive && h('span', { class: 'tag' }, 'disabled'),
        h('small', {}, now.email),
        now.locks.map(lockView),
      ),
      h('td', {}, role),
      h('td', { class: 'wide-only' }, ago(now.lastLoginAt, 'ago')),
      h('td', { class: 'wide-only' }, ago(now.createdAt, 'ago')),
      h('td', { class: 'row-actions' }, now.locks.length > 0 && lift, end, !isSelf && toggle),
    );
  };
  draw(user);
  return row;
}

async function endSessions(button, { id, name }) {
  const text = `${name} will have to log in again on every device.`;
  if (!(await confirmFirst(`End all sessions of ${name}?`, text, 'End sessions'))) return;
  try {
    const { data } = await busy(button, () => remove(`${USERS}/${id}/sessions`));
    notify(`Ended ${plural(data.terminated, 'session')} of ${name}.`);
  } catch (error) {
    notify(explain(error), { tone: 'error' });
  }
}

const LOCKED = {
  network: ({ network }) => `Locked for ${network}`,
  unfamiliar_networks: () => 'Locked for networks that the user has not logged in from recently',
  password_change: () => 'Password changes are locked',
};

function lockView(lock) {
  const text = LOCKED[lock.scope]?.(lock) ?? 'Locked';
  return h('small', { class: 'user-lock' }, icon('lock'), text, ', expires ', until(lock.endsAt));
}

async function liftLocks(button, { id, name }, done) {
  try {
    const { data } = await busy(button, () => remove(`${USERS}/${id}/locks`));
    notify(`Lifted ${plural(data.lifted, 'lock')} of ${name}.`);
    done();
  } catch (error) {
    notify(explain(error), { tone: 'error' });
  }
}
