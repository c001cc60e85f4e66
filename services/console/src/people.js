// Names of people. The API names people by id, and this file shows their names.

import { get } from './api.js';
import { h } from './dom.js';
import { onLive } from './live.js';
import * as session from './session.js';

export const DIRECTORY = '/api/auth/users/directory';
/** The ids of one request. */
const MOST = 50;
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** The name by id; null if the account was deleted. */
const names = new Map();
/** The elements that wait for a name, by id. */
const waiting = new Map();

/** Returns the name of a user, as text or as an element that shows it as soon as it is known. */
export function nameOf(id) {
  if (!id || id === 'drift-service') return 'the service';
  if (id === session.user()?.id) return 'you';
  if (id.startsWith('service:')) return `service token ${short(id.slice('service:'.length))}`;
  // Some accounts of the replaced stack had other ids, which the directory refuses.
  if (!UUID.test(id)) return `user ${short(id)}`;
  const element = h('span', { class: 'person' }, '…');
  if (names.has(id)) {
    show(element, id);
    return element;
  }
  if (waiting.size === 0) queueMicrotask(read);
  waiting.set(id, [...(waiting.get(id) ?? []), element]);
  return element;
}

const short = (id) => id.slice(0, 8);

function show(element, id) {
  const name = names.get(id);
  element.textContent = name ?? (name === null ? 'Deleted user' : `user ${short(id)}`);
  element.title = name ? '' : id;
}

/** Reads the names of all people that appeared in one task. */
async function read() {
  const asked = [...waiting];
  waiting.clear();
  for (let first = 0; first < asked.length; first += MOST) {
    const part = asked.slice(first, first + MOST);
    const ids = part.map(([id]) => id);
    try {
      const { data } = await get(DIRECTORY, { ids });
      for (const id of ids) names.set(id, null);
      for (const { id, name } of data) names.set(id, name);
    } catch {
      // The short id takes the place of the name. The next view asks again.
    }
    for (const [id, elements] of part) for (const element of elements) show(element, id);
  }
}

onLive('auth:user.', () => names.clear());
