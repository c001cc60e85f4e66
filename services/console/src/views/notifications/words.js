// Destinations, their rules and their failures in words. Pure functions.

import { plural } from '../../format.js';

export const NOTIFICATIONS = '/api/v1/notifications';
export const DESTINATIONS = `${NOTIFICATIONS}/destinations`;
export const DELIVERIES = `${NOTIFICATIONS}/deliveries`;

const FAILURES = {
  timeout: 'no response in time',
  dns: 'the host name has no address',
  refused_url: 'the address is not allowed',
  refused_address: 'the host is in a private network, which is not allowed',
  tls: 'no secure connection: check the certificate',
  connect: 'no connection',
  reset: 'the connection broke off',
  protocol: 'the response was not HTTP',
  expired: 'the time for attempts ended',
  template: 'the template fails for this event',
  target: 'the address cannot be used: replace it',
  unreadable: 'the address cannot be decrypted: replace it',
  signing_secret: 'the signing secret cannot be decrypted: replace the address',
  no_smtp: 'the server has no SMTP_URL',
  authentication: 'the mail server refused the login',
  refused: 'the mail server refused the mail',
  deferred: 'the mail server asked to try later',
  address: 'a recipient is not valid',
  connection: 'no connection to the mail server',
};

/** Returns the kind of a failure in words. */
export function failureWords(kind) {
  const [, status] = /^status_(\d{3})$/.exec(kind) ?? [];
  if (status) return `responded with status ${status}`;
  if (kind.startsWith('slack_')) return `Slack reported ${kind.slice('slack_'.length)}`;
  return Object.hasOwn(FAILURES, kind) ? FAILURES[kind] : kind.replaceAll('_', ' ');
}

/** The severities that a rule with a lowest one lets through. */
const SEVERITIES = { info: 'any severity', warning: 'warning or critical', critical: 'critical' };
export const SEVERITY_OPTIONS = [
  ['', 'any severity'],
  ['warning', SEVERITIES.warning],
  ['critical', SEVERITIES.critical],
];

/** Returns rules as a line such as `drift:created and alert:* · critical · stacks prod-*`. */
export function ruleWords({ events, minSeverity, stacks, accounts }) {
  return [
    events.length > 0 ? and(events) : 'every event',
    minSeverity && SEVERITIES[minSeverity],
    stacks.length > 0 && `stacks ${and(stacks)}`,
    accounts.length > 0 && `${accounts.length > 1 ? 'accounts' : 'account'} ${and(accounts)}`,
  ]
    .filter(Boolean)
    .join(' · ');
}

/** Returns a schedule as a line such as `a digest every 30 minutes · one message for each scan`. */
export function scheduleWords(schedule) {
  const { digestMinutes, unlessReceivedSeconds, quietHours, groupByScan, skipRepeats } = schedule;
  const quiet = quietHours && [
    `quiet from ${quietHours.from} to ${quietHours.to} (${quietHours.timeZone.replaceAll('_', ' ')})`,
    quietHours.exceptCritical && 'except critical',
  ];
  return [
    digestMinutes ? `a digest every ${plural(digestMinutes, 'minute')}` : 'at once',
    unlessReceivedSeconds &&
      `after ${plural(unlessReceivedSeconds, 'second')}, unless an engineer received it here`,
    quiet && quiet.filter(Boolean).join(', '),
    groupByScan && 'one message for each scan',
    skipRepeats && 'no repeats',
  ]
    .filter(Boolean)
    .join(' · ');
}

const and = (texts) =>
  texts.length > 1 ? `${texts.slice(0, -1).join(', ')} and ${texts.at(-1)}` : texts.join('');

export const HEALTHS = {
  ok: { icon: 'check', label: 'Works' },
  retrying: { icon: 'silent', label: 'Retrying' },
  failing: { icon: 'trouble', label: 'Failing' },
  off: { icon: 'gone', label: 'Paused' },
};

export const DELIVERY_STATUSES = {
  pending: { icon: 'silent', label: 'Waiting' },
  delivered: { icon: 'check', label: 'Delivered' },
  received: { icon: 'check', label: 'Received in the console' },
  dead: { icon: 'cross', label: 'Given up' },
};
