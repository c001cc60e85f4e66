// One stack in the list.

import { h } from '../../dom.js';
import { ago, breakable, count, until } from '../../format.js';
import { severityMark } from '../../icons.js';
import { TOOLS, cadenceText, driftsOf, stackAddress, stackStatus } from './words.js';

const SEVERITIES = ['critical', 'warning', 'info'];
export const HEADS = ['Stack', 'Status', 'Known', 'Open', 'Approved', 'Next scan', 'Last scan'];

export function stackRow(stack) {
  const { name, status, owner, labels, approved } = stack;
  const about = [owner, ...Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`)];
  return h(
    'tr',
    { data: { stack: name } },
    h(
      'td',
      { class: 'stack-name' },
      h('a', { href: stackAddress(name) }, breakable(name)),
      about.some(Boolean) && h('small', { class: 'quiet' }, about.filter(Boolean).join(' · ')),
    ),
    h('td', {}, stackStatus(status)),
    h('td', {}, h('span', {}, verdict(stack)), h('small', { class: 'quiet' }, knownSince(stack))),
    h('td', {}, openDrifts(stack)),
    h(
      'td',
      {},
      approved > 0
        ? h(
            'a',
            {
              href: driftsOf(name, { status: 'approved' }),
              'aria-label': `${count(approved)} approved in ${name}`,
            },
            count(approved),
          )
        : h('span', { class: 'quiet' }, 'none'),
    ),
    h('td', {}, nextScan(stack)),
    h('td', {}, lastScan(stack.lastScan)),
  );
}

/** Returns the reason for the status. */
export function verdict({ status, dueAt, blindReason, cleanSince, oldestOpenAt }) {
  if (status === 'silent') return ['No scan since one was due ', ago(dueAt, 'ago')];
  if (status === 'blind') return sentence(blindReason ?? 'The last scan did not cover the whole stack');
  if (status === 'clean') return cleanSince ? ['Clean since ', ago(cleanSince, 'ago')] : 'No open drift';
  return oldestOpenAt ? ['Oldest open drift ', ago(oldestOpenAt, 'ago')] : 'Some drifts are open';
}

export const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}`;

/** Returns the age of all that is known: that of the last scan that covered the whole stack. */
export const knownSince = ({ knownAt }) =>
  knownAt ? ['Complete scan ', ago(knownAt, 'ago')] : 'No complete scan yet';

/** Returns the open drifts by severity, each number a link to them. */
export function openDrifts({ name, openBySeverity }) {
  const open = SEVERITIES.filter((severity) => openBySeverity[severity] > 0);
  if (open.length === 0) return h('span', { class: 'quiet' }, 'none');
  return h(
    'span',
    { class: 'stack-open' },
    open.map((severity) =>
      h(
        'a',
        {
          href: driftsOf(name, { status: 'detected,rejected', severity }),
          'aria-label': `${count(openBySeverity[severity])} open ${severity} in ${name}`,
        },
        severityMark(severity),
        count(openBySeverity[severity]),
      ),
    ),
  );
}

/** Returns the interval between scans, and when the next one is due. */
export function nextScan({ cadenceSeconds, isCadenceSet, dueAt }) {
  if (!cadenceSeconds) return h('span', { class: 'quiet' }, 'not known yet');
  const isOverdue = dueAt && new Date(dueAt) < Date.now();
  return [
    h('span', {}, dueAt ? [isOverdue ? 'overdue since ' : 'due ', isOverdue ? ago(dueAt) : until(dueAt)] : '–'),
    h('small', { class: 'quiet' }, `${cadenceText(cadenceSeconds)}${isCadenceSet ? '' : ', learned'}`),
  ];
}

function lastScan(scan) {
  if (!scan) return h('span', { class: 'quiet' }, 'none');
  return [
    h('span', {}, ago(scan.receivedAt, 'ago')),
    h('small', { class: 'quiet' }, `${TOOLS[scan.tool] ?? scan.tool}, ${scan.completeness}`),
  ];
}
