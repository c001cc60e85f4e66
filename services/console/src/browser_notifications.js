// Notifications of the browser about new drifts and alerts, while no tab of the console is visible. The choices are kept
// on this device, by user.
//
// Of all tabs, the one that holds the lock NOTIFIER shows them, so that each event is shown once. Each visible tab holds
// the lock VISIBLE, which the notifier sees.

import { go } from './address.js';
import { plural } from './format.js';
import { onLive } from './live.js';
import * as session from './session.js';

const KEY = 'driftsentry.browser-notifications';
const MOST_USERS = 20;
const NOTIFIER = 'driftsentry.notifier';
const VISIBLE = 'driftsentry.visible';
/** From this number of drifts at once, one notification counts them. */
const MANY = 4;
const RANKS = { info: 0, warning: 1, critical: 2 };
const USUAL = { isOn: false, minSeverity: 'critical', stacks: [] };

/** Returns true if this browser can show them. Without TLS, it has neither notifications nor locks. */
export const isSupported = () => 'Notification' in globalThis && Boolean(navigator.locks);

/** Returns the choices of the current user: `{isOn, minSeverity, stacks}`. */
export const choices = () => ({ ...USUAL, ...stored().get(session.user()?.id) });

export function keepChoices(wanted) {
  const { id } = session.user();
  const others = stored();
  others.delete(id);
  others.set(id, wanted);
  localStorage.setItem(KEY, JSON.stringify([...others].slice(-MOST_USERS)));
}

function stored() {
  try {
    const known = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    const isChoice = (entry) => Array.isArray(entry) && Array.isArray(entry[1]?.stacks);
    return new Map(Array.isArray(known) ? known.filter(isChoice) : []);
  } catch {
    return new Map();
  }
}

/** Shows notifications until `signal` aborts. */
export function followForBrowser(signal) {
  if (!isSupported()) return;
  holdWhileVisible(signal);
  hold(NOTIFIER, { signal }, () => {
    for (const prefix of ['drift:created', 'alert:created'])
      onLive(prefix, (events) => showEvents(events).catch(() => {}), signal);
  });
}

/** Holds a lock from the time when it is free until the signal aborts. */
function hold(name, { signal, mode = 'exclusive' }, held = () => {}) {
  if (signal.aborted) return;
  const until = () => {
    if (signal.aborted) return undefined;
    held();
    return new Promise((resolve) => signal.addEventListener('abort', resolve));
  };
  // The signal may abort while the request waits.
  navigator.locks.request(name, { signal, mode }, until).catch(() => {});
}

function holdWhileVisible(signal) {
  let hidden = new AbortController();
  const follow = () => {
    hidden.abort();
    hidden = new AbortController();
    if (!document.hidden) hold(VISIBLE, { signal: AbortSignal.any([hidden.signal, signal]), mode: 'shared' });
  };
  document.addEventListener('visibilitychange', follow, { signal });
  follow();
}

async function showEvents(events) {
  const { isOn, ...wanted } = choices();
  if (!isOn || Notification.permission !== 'granted') return;
  const fitting = events.filter(({ payload }) => isWanted(payload, wanted));
  if (fitting.length === 0) return;
  const { held } = await navigator.locks.query();
  if (held.some(({ name }) => name === VISIBLE)) return;
  // A drift and the alert about it are one notification.
  const bySubject = new Map(fitting.map((event) => [subjectOf(event), event]));
  if (bySubject.size < MANY) for (const [tag, event] of bySubject) showOne(tag, event);
  else showMany([...bySubject.values()]);
}

const subjectOf = ({ type, payload }) =>
  type === 'alert:created' ? (payload.driftId ?? payload.id) : payload.id;

/** Returns true if the choices let an event through. */
export function isWanted({ severity, stack }, { minSeverity, stacks }) {
  if (RANKS[severity] < RANKS[minSeverity]) return false;
  return stacks.length === 0 || stacks.some((pattern) => globOf(pattern).test(stack ?? ''));
}

/** Returns a pattern in which `*` stands for any characters. */
const globOf = (pattern) =>
  new RegExp(`^${pattern.split(/\*+/).map((text) => text.replace(/[\\^$.+?()[\]{}|]/g, '\\$&')).join('.*')}$`, 's');

function showOne(tag, { type, payload }) {
  const { id, driftId, severity, stack, title, address } = payload;
  const heading = type === 'alert:created' ? title : `New drift, ${severity}`;
  const drift = type === 'alert:created' ? driftId : id;
  showNotification(heading, { body: [stack, address].filter(Boolean).join(' · '), tag }, () =>
    drift ? go(`/drifts/${drift}`, { status: 'any' }) : go('/alerts'),
  );
}

function showMany(events) {
  const critical = events.filter(({ payload }) => payload.severity === 'critical').length;
  const stacks = [...new Set(events.map(({ payload }) => payload.stack).filter(Boolean))];
  const heading = `${plural(events.length, 'new drift')}${critical ? `, ${critical} critical` : ''}`;
  showNotification(heading, { body: stacks.slice(0, 5).join(', '), tag: 'many' }, () => go('/drifts'));
}

/** Shows a notification; `open` is called when the user presses it. Throws where a page cannot show any. */
export function showNotification(heading, options, open) {
  const shown = new Notification(heading, { icon: 'favicon.svg', ...options });
  shown.onclick = () => {
    window.focus();
    shown.close();
    open?.();
  };
}
