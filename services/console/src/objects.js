// Drifts and alerts that other data names by id: their addresses, titles and stacks.

import { get } from './api.js';

const PATHS = { drift: '/api/v1/drifts', alert: '/api/v1/alerts' };
/** From this number of unknown ids, the newest objects are read as one page first. */
const PAGE_FROM = 4;
const PAGE = 100;
/** The requests for single objects at a time. Objects beyond them stay without a name. */
const MOST_SINGLE = 30;
const MOST_KEPT = 5_000;

/** The object by id, per entity; null if it was deleted. */
const known = { drift: new Map(), alert: new Map() };

/** Returns a map of the objects with these ids; null for one that does not exist. Some may be missing. */
export async function objectsOf(entity, ids, signal) {
  const objects = known[entity];
  if (objects.size > MOST_KEPT) objects.clear();
  const unknown = () => [...new Set(ids)].filter((id) => id && !objects.has(id));
  if (unknown().length >= PAGE_FROM) {
    const { data } = await get(PATHS[entity], { limit: PAGE }, { signal }).catch(() => ({ data: [] }));
    for (const object of data) objects.set(object.id, object);
  }
  await Promise.all(
    unknown()
      .slice(0, MOST_SINGLE)
      .map((id) => readOne(entity, id, signal)),
  );
  return objects;
}

async function readOne(entity, id, signal) {
  try {
    const { data } = await get(`${PATHS[entity]}/${id}`, {}, { signal });
    known[entity].set(id, data);
  } catch (error) {
    // Otherwise the next view asks again.
    if (error.status === 404) known[entity].set(id, null);
  }
}
