// The connected users, across all gateways.

import { all, get, remove } from '../../api.js';
import { fill, h } from '../../dom.js';
import { ago, count, explain, plural } from '../../format.js';
import { notify } from '../../notice.js';
import { busy, load } from '../../states.js';

const REALTIME = '/api/realtime';

export function showConnections(place, signal) {
  const numbers = h('div', {});
  const people = h('div', {});
  const read = async () => {
    await load(
      numbers,
      signal,
      async () => statsView((await get(`${REALTIME}/stats`, {}, { signal })).data),
      { rows: 2, quietly: numbers.childNodes.length > 0 },
    );
    await load(people, signal, () => peopleView(signal), { rows: 4, quietly: people.childNodes.length > 0 });
  };
  const again = h('button', { class: 'button', on: { click: () => busy(again, read) } }, 'Refresh');
  fill(
    place,
    h(
      'div',
      { class: 'filter-row' },
      h('p', { class: 'quiet grow' }, 'Open sockets on all gateways.'),
      again,
    ),
    numbers,
    people,
  );
  read();
}

function statsView({ connections, users, partial }) {
  return [
    partial &&
      h(
        'p',
        { class: 'banner banner-warning', role: 'status' },
        'A gateway did not respond: these numbers may be too low.',
      ),
    h(
      'div',
      { class: 'cards' },
      [
        ['Connections', connections],
        ['Users', users],
      ].map(([title, value]) =>
        h('section', { class: 'card' }, h('h2', {}, title), h('p', { class: 'figure' }, count(value))),
      ),
    ),
  ];
}

/** The gateway lists the connections of one user only, so there is one request per active user. */
async function peopleView(signal) {
  const { items: users } = await all('/api/auth/users', {}, { most: 100, signal });
  const connected = await Promise.all(
    users
      .filter(({ isActive }) => isActive)
      .map(async (user) => {
        const { data } = await get(`${REALTIME}/users/${user.id}/connections`, {}, { signal });
        return { user, connections: data.connections };
      }),
  );
  return h(
    'ul',
    { class: 'sessions' },
    connected
      .filter(({ connections }) => connections.length > 0)
      .map(({ user, connections }) => personView(user, connections)),
  );
}

function personView({ id, name, email }, connections) {
  const item = h('li', { class: 'session' });
  const end = h(
    'button',
    { class: 'button', 'aria-label': `Disconnect ${name}`, on: { click: disconnect } },
    'Disconnect',
  );
  async function disconnect() {
    try {
      await busy(end, () => remove(`${REALTIME}/users/${id}/connections`));
      notify(`Disconnected: ${name}. Devices that are still logged in will reconnect.`);
      item.remove();
    } catch (error) {
      notify(explain(error), { tone: 'error' });
    }
  }
  const since = connections
    .map(({ connectedAt }) => connectedAt)
    .filter(Boolean)
    .sort()[0];
  fill(
    item,
    h(
      'div',
      {},
      h('p', {}, h('strong', {}, name), ' ', h('span', { class: 'quiet' }, email)),
      h(
        'p',
        { class: 'quiet' },
        plural(connections.length, 'connection'),
        since && [' · since ', ago(since)],
      ),
    ),
    end,
  );
  return item;
}
