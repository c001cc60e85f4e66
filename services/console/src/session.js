// The signed-in user of this tab. The access token is in memory only. The refresh token is in a cookie that
// no script can read. All tabs share one refresh: a Web Lock lets one tab refresh, and a BroadcastChannel
// gives the new token to the others.

import { ApiError, request } from './http.js';

const COOKIE_DELIVERY = { 'x-token-delivery': 'cookie' };
const ME = '/api/auth/me';
const LOCK = 'driftsentry.refresh';
/** Set while a refresh cookie, which no script can see, probably exists. Saves a request that would fail. */
const HINT = 'driftsentry.signed-in';
/** A message to another tab takes milliseconds, unless that tab is busy. */
const TOLD_WITHIN_MS = 1000;
/** The share of a token's lifetime after which it is refreshed. */
const REFRESH_AT = 0.75;

const events = new EventTarget();
const channel = new BroadcastChannel('driftsentry.session');
let current = null;
let renewing = null;
let timer = 0;

/** Listens to the events `started`, `renewed`, `changed` (the role), `replaced` (by another user) and `ended` (with
 * `reason`). */
export function on(type, listener, signal) {
  events.addEventListener(type, (event) => listener(event.detail), { signal });
}

const emit = (type, detail) => events.dispatchEvent(new CustomEvent(type, { detail }));

/** `{id, email, name, role, sid}`, or null. */
export const user = () => current?.user ?? null;
export const token = () => current?.token ?? null;
export const may = (role) => rank(user()?.role) >= rank(role);

const rank = (role) => ['viewer', 'engineer', 'admin'].indexOf(role);

/** Sends a request that logs in. Returns its response, which has no token if a mail must be confirmed first. */
export async function logIn(path, body) {
  const { data } = await request('POST', path, { body, headers: COOKIE_DELIVERY });
  if (!data.accessToken) return data;
  adopt(data.accessToken, data.expiresIn, data.user.name);
  channel.postMessage({
    type: 'signed-in',
    token: data.accessToken,
    expiresIn: data.expiresIn,
    name: data.user.name,
  });
  return data;
}

/** Continues the session of the refresh cookie, if there is one. Returns `expired` if the session has ended. */
export async function restore() {
  if (localStorage.getItem(HINT) === null) return null;
  try {
    await renew();
    return null;
  } catch (error) {
    if (hasEnded(error)) return 'expired';
    throw error;
  }
}

/** Returns a new access token. All tabs, and all callers in the meantime, share one refresh. */
export function renew() {
  renewing ??= exchange(performance.now()).finally(() => (renewing = null));
  return renewing;
}

function exchange(asked) {
  return alone(async (another) => {
    if (another) await told(asked);
    if (current && current.since > asked) return current.token;
    try {
      const { data } = await request('POST', '/api/auth/refresh', { body: {}, headers: COOKIE_DELIVERY });
      adopt(data.accessToken, data.expiresIn);
      channel.postMessage({ type: 'renewed', token: data.accessToken, expiresIn: data.expiresIn });
    } catch (error) {
      if (hasEnded(error)) await endWithReason();
      throw error;
    }
    return current.token;
  });
}

/** Ends a session that cannot be refreshed. The refused refresh has no reason; a refused access token has one. */
async function endWithReason() {
  const ended = current;
  const refused = ended && (await request('GET', ME, { token: ended.token }).catch((error) => error));
  if (current === ended) endedElsewhere(refused?.details?.reason ?? 'expired');
}

/** Runs `work` in one tab at a time; the argument says whether another tab was first. Without TLS there are
 * no locks, and the server's grace period for racing tabs takes their place. */
async function alone(work) {
  if (!navigator.locks) return work(false);
  const busy = Symbol('busy');
  const done = await navigator.locks.request(LOCK, { ifAvailable: true }, (lock) =>
    lock ? work(false) : busy,
  );
  return done === busy ? navigator.locks.request(LOCK, () => work(true)) : done;
}

/** Waits for the result of the tab that was first. If that tab failed, it sends none. */
async function told(asked) {
  if (current?.since > asked) return;
  const heard = new AbortController();
  await new Promise((resolve) => {
    setTimeout(resolve, TOLD_WITHIN_MS);
    for (const type of ['started', 'renewed', 'ended']) on(type, resolve, heard.signal);
  });
  heard.abort();
}

const hasEnded = (error) => error instanceof ApiError && [400, 401, 403].includes(error.status);

export async function logOut() {
  const bearer = token();
  end('logout');
  await request('POST', '/api/auth/logout', { body: {}, token: bearer }).catch(() => {});
}

/** Ends the session in this tab and in all others. */
export function end(reason) {
  clearTimeout(timer);
  localStorage.removeItem(HINT);
  const was = current;
  current = null;
  if (was) {
    channel.postMessage({ type: 'ended', reason, sid: was.user.sid });
    emit('ended', { reason });
  }
}

/** Ends a session that the server reports as ended. A `logout` happened elsewhere, so it counts as `terminated`. */
export const endedElsewhere = (reason) => end(reason === 'logout' ? 'terminated' : reason);

/** Sets the user's name once `/me` has returned it. */
export function nameUser(name) {
  if (current) current.user.name = name;
}

function adopt(accessToken, expiresIn, name) {
  const claims = claimsOf(accessToken);
  const before = current?.user;
  const sameUser = before?.id === claims.sub;
  const { sub: id, email, role, sid } = claims;
  current = {
    token: accessToken,
    since: performance.now(),
    user: { id, email, role, sid, name: name ?? (sameUser ? before.name : null) },
  };
  localStorage.setItem(HINT, 'yes');
  clearTimeout(timer);
  timer = setTimeout(() => renew().catch(() => retryLater()), expiresIn * 1000 * REFRESH_AT);
  if (!before) return emit('started');
  // Another user signed in: nothing on this page belongs to them.
  if (!sameUser) return emit('replaced');
  emit('renewed');
  if (before.role !== role) emit('changed');
}

function retryLater() {
  if (current) timer = setTimeout(() => renew().catch(() => retryLater()), 5000);
}

function claimsOf(accessToken) {
  const base64 = accessToken.split('.')[1].replaceAll('-', '+').replaceAll('_', '/');
  const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes));
}

channel.onmessage = ({ data }) => {
  if (data.type === 'ended') {
    if (current && (data.sid === undefined || data.sid === current.user.sid)) end(data.reason);
  } else {
    adopt(data.token, data.expiresIn, data.name);
  }
};
