// Names of users. The API names actors by id; only admins may look up the names.

import { all } from './api.js';
import * as session from './session.js';

const names = new Map();
let reading = null;

/** Reads all names once, if the user is allowed to. */
export function knowNames() {
  if (!session.may('admin')) return Promise.resolve();
  reading ??= all('/api/auth/users', {}, { most: 1000 })
    .then(({ items }) => items.forEach(({ id, name }) => names.set(id, name)))
    .catch(() => (reading = null));
  return reading;
}

export function nameOf(id) {
  if (!id) return 'the service';
  if (id === session.user()?.id) return 'you';
  return names.get(id) ?? `user ${id.slice(0, 8)}`;
}
