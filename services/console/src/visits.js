// The visits of this user on this device: when the last one ended.

import * as session from './session.js';

const KEY = 'driftsentry.visits';
/** A pause of this length ends a visit. */
const PAUSE_MS = 30 * 60_000;
const OFTEN_MS = 30_000;
const MOST_USERS = 20;

/** Returns the end of the last visit as a time of the API; null on the first visit. */
export function lastVisit() {
  const { before } = visits().get(session.user()?.id) ?? {};
  return before ? new Date(before).toISOString() : null;
}

/** Notes that the user is here, until `signal` aborts. */
export function followVisits(signal) {
  const { id } = session.user();
  const note = () => {
    if (document.hidden || signal.aborted) return;
    const others = visits();
    const { seen, before } = others.get(id) ?? {};
    const now = Date.now();
    others.delete(id);
    others.set(id, { seen: now, before: now - seen > PAUSE_MS ? seen : before });
    localStorage.setItem(KEY, JSON.stringify([...others].slice(-MOST_USERS)));
  };
  note();
  const timer = setInterval(note, OFTEN_MS);
  signal.addEventListener('abort', () => clearInterval(timer));
  document.addEventListener('visibilitychange', note, { signal });
}

/** Returns `{seen, before}` by user: the last time of this visit, and the end of the one before. */
function visits() {
  try {
    const known = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    const isVisit = (entry) => Array.isArray(entry) && Number.isFinite(entry[1]?.seen);
    return new Map(Array.isArray(known) ? known.filter(isVisit) : []);
  } catch {
    return new Map();
  }
}
