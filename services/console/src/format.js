// Formats values for people. Times are `time` elements whose text follows the clock.

import { h } from './dom.js';
import { isoTime, onTimeZone, timeZone } from './time_zone.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const amount = new Intl.NumberFormat('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const signed = new Intl.NumberFormat('en', { ...amount.resolvedOptions(), signDisplay: 'exceptZero' });
const whole = new Intl.NumberFormat('en');
const MOMENT = {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  timeZoneName: 'short',
};
const inZone = (options) =>
  new Intl.DateTimeFormat('en-GB', { ...options, ...(timeZone() === 'utc' && { timeZone: 'UTC' }) });
let moment = inZone(MOMENT);
let clockTime = inZone({ timeStyle: 'medium' });

export const count = (value) => whole.format(value);
export const plural = (value, noun) => `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
export const atClock = (time) => clockTime.format(time);
export const atMoment = (time) => moment.format(new Date(time));

/** A monthly amount in the account's currency. */
export const money = (value) => (value ? signed.format(value) : '0');

/** The time that has passed: `just now`, `4m`, `3h`, `12d`. */
export function age(time, now = Date.now()) {
  const passed = now - new Date(time).getTime();
  if (passed < 45_000) return 'just now';
  if (passed < HOUR) return `${Math.max(1, Math.round(passed / MINUTE))}m`;
  if (passed < 36 * HOUR) return `${Math.round(passed / HOUR)}h`;
  return `${Math.round(passed / DAY)}d`;
}

/** A duration: `4 min`, `2 h 10 min`. */
export function duration(hours) {
  if (hours === null || hours === undefined) return '–';
  const minutes = Math.round(hours * 60);
  if (minutes < 1) return 'under 1 min';
  if (minutes < 90) return `${minutes} min`;
  if (hours < 48) return `${Math.floor(hours)} h ${minutes % 60} min`;
  return `${(hours / 24).toFixed(1)} days`;
}

/** The absolute time with its zone; in ISO 8601 on hover. */
export const exactTime = (time) =>
  h('time', { datetime: time, title: isoTime(time), data: { absolute: '' } }, atMoment(time));

/** The time that has passed, kept up to date; the exact time on hover. */
export function ago(time, suffix = '') {
  if (!time) return h('span', { class: 'quiet' }, '–');
  const properties = { datetime: time, title: isoTime(time), data: { suffix } };
  return h('time', properties, agoText(time, suffix));
}

function agoText(time, suffix) {
  const text = age(time);
  return text === 'just now' || !suffix ? text : `${text} ${suffix}`;
}

/** The time that is left; the exact time on hover. */
export function until(time) {
  const left = new Date(time).getTime() - Date.now();
  const text =
    left <= 0 ? 'now' : left < HOUR ? `in ${Math.ceil(left / MINUTE)}m` : `in ${age(Date.now() - left)}`;
  return h('time', { datetime: time, title: isoTime(time) }, text);
}

onTimeZone(() => {
  moment = inZone(MOMENT);
  clockTime = inZone({ timeStyle: 'medium' });
  for (const element of document.querySelectorAll('time[datetime]')) {
    element.title = isoTime(element.dateTime);
    if ('absolute' in element.dataset) element.textContent = atMoment(element.dateTime);
  }
});

setInterval(() => {
  for (const element of document.querySelectorAll('time[data-suffix]')) {
    const text = agoText(element.dateTime, element.dataset.suffix);
    if (element.textContent !== text) element.textContent = text;
  }
}, 20_000);

/** A resource address with line break opportunities between its parts. */
export const breakable = (address) =>
  address.split(/(?=[.[/])/).flatMap((part, at) => (at ? [h('wbr'), part] : [part]));

const REASONS = {
  logout: 'You logged out.',
  idle_timeout: 'Your session ended because it was inactive for too long.',
  expired: 'Your session has expired.',
  evicted: 'Your session ended because you logged in on another device and had too many sessions.',
  password_changed: 'Your password was changed, so your other sessions ended.',
  account_disabled: 'Your account was disabled. An administrator can enable it again.',
  token_reuse: 'Your session was ended for safety, because one of its old tokens was used again.',
  admin: 'An administrator ended your session.',
  terminated: 'Your session was ended from another device.',
  password_reset: 'Your password was reset, so all your sessions ended. Log in with the new password.',
  account_deleted: 'Your account was deleted.',
  email_restored: 'Your old email address was restored, so all your sessions ended. Log in again.',
};

/** The reason why a session ended, in words for its owner. */
export const endReason = (reason) => REASONS[reason] ?? 'Your session has ended.';

/** `40 seconds`, `15 minutes`, `23 hours`: a time to wait, rounded up. */
function wait(seconds) {
  if (seconds <= 90) return plural(seconds, 'second');
  const minutes = Math.ceil(seconds / 60);
  return minutes <= 90 ? plural(minutes, 'minute') : plural(Math.ceil(minutes / 60), 'hour');
}

/** Explains an error to a person, and what to do next. */
export function explain(error) {
  if (error.name === 'Unreachable')
    return 'The server cannot be reached. Check your connection and try again.';
  if (error.status === 429) return `Too many attempts. Try again in ${wait(error.retryAfterSeconds ?? 60)}.`;
  if (error.status >= 500) {
    const trace = error.requestId ? ` (request ${error.requestId})` : '';
    return `The server could not do this${trace}. Try again in a moment.`;
  }
  const text = error.message || 'Something went wrong.';
  return `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
}
