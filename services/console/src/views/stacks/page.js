// The page of a stack: what is known about it, its accounts, its last scans and its badge.

import { get } from '../../api.js';
import { go } from '../../address.js';
import { copyButton } from '../../copy.js';
import { fill, h } from '../../dom.js';
import { ago, breakable, count, exactTime } from '../../format.js';
import { icon } from '../../icons.js';
import { livePlace } from '../../live_place.js';
import * as session from '../../session.js';
import { setTitle } from '../../title.js';
import { table } from '../admin/table.js';
import { deleteStack, editStack, pathOf } from './edit.js';
import { knownSince, nextScan, openDrifts, sentence, verdict } from './row.js';
import { scansOf } from './scans.js';
import { cadenceText, driftsOf, stackAddress, stackStatus } from './words.js';

const OFTEN_MS = 1_000;

export function showStack(place, name, signal) {
  setTitle(name, 'Stacks');
  const head = livePlace(
    ['stack:', 'scan:', 'drift:'],
    OFTEN_MS,
    signal,
    async (again) => {
      const { data } = await get(pathOf(name), {}, { signal });
      scans.hidden = false;
      return stackView(data, again);
    },
    { rows: 4 },
  );
  const scans = h(
    'section',
    { class: 'panel', hidden: true },
    h('h2', {}, 'Last scans'),
    livePlace(['scan:'], OFTEN_MS, signal, () => scansOf(name, signal), { rows: 3 }).place,
  );
  fill(
    place,
    h('p', { class: 'back-line' }, h('a', { class: 'text-link', href: '#/stacks' }, icon('back'), 'All stacks')),
    head.place,
    scans,
  );
}

function stackView(stack, again) {
  const edit = () => editStack(stack).then((isDone) => isDone && again());
  const removeIt = () => deleteStack(stack).then((isDone) => isDone && go('/stacks'));
  return [
    h(
      'header',
      { class: 'view-head stack-head' },
      h('h1', {}, breakable(stack.name)),
      stackStatus(stack.status),
      h(
        'div',
        { class: 'view-actions' },
        session.may('engineer') && h('button', { class: 'button', on: { click: edit } }, 'Edit'),
        session.may('admin') &&
          h('button', { class: 'button button-danger', on: { click: removeIt } }, 'Delete stack'),
      ),
    ),
    h('p', { class: 'stack-verdict' }, verdict(stack), '. ', knownSince(stack), '.'),
    facts(stack),
    stack.scopes.length > 1 && scopes(stack.scopes),
    stack.badgePath && badge(stack),
  ];
}

function facts(stack) {
  const { name, owner, labels, detected, approved, rejected, cleanSince, knownAt } = stack;
  const drifts = (status, number) =>
    number > 0 ? h('a', { href: driftsOf(name, { status }) }, count(number)) : '0';
  const rows = [
    ['Last complete scan', knownAt ? exactTime(knownAt) : 'none yet'],
    cleanSince && ['Clean since', exactTime(cleanSince)],
    ['Open, by severity', openDrifts(stack)],
    ['Undecided', drifts('detected', detected)],
    ['Rejected, still there', drifts('rejected', rejected)],
    ['Approved', drifts('approved', approved)],
    ['Next scan', nextScan(stack)],
    ['Owner', owner ?? '–'],
    [
      'Labels',
      Object.keys(labels ?? {}).length > 0
        ? h(
            'span',
            { class: 'stack-labels' },
            Object.entries(labels).map(([key, value]) => labelLink(`${key}=${value}`)),
          )
        : '–',
    ],
  ].filter(Boolean);
  return h(
    'dl',
    { class: 'facts' },
    rows.map(([term, value]) => h('div', {}, h('dt', {}, term), h('dd', {}, value))),
  );
}

const labelLink = (label) =>
  h('a', { class: 'tag', href: `#/stacks?${new URLSearchParams({ label })}` }, label);

/** Returns the accounts that the scans name. One account says nothing that the stack does not say. */
function scopes(all) {
  const row = ({ accountId, lastCompleteAt, lastReceivedAt, cadenceSeconds, blindReason }) =>
    h(
      'tr',
      {},
      h('td', {}, accountId ?? 'not named'),
      h('td', {}, ago(lastCompleteAt, 'ago')),
      h('td', {}, ago(lastReceivedAt, 'ago')),
      h('td', {}, cadenceSeconds ? cadenceText(cadenceSeconds) : 'not known yet'),
      h('td', {}, blindReason ? sentence(blindReason) : 'Complete'),
    );
  const heads = ['Account', 'Complete scan', 'Last scan', 'Cadence', 'Result'];
  return h(
    'section',
    { class: 'panel' },
    h('h2', {}, 'Accounts'),
    table('Accounts', heads, h('tbody', {}, all.map(row))),
  );
}

function badge({ name, badgePath }) {
  const url = `${location.origin}${badgePath}`;
  const page = `${location.origin}${location.pathname}${stackAddress(name)}`.replace(/[()]/g, hex);
  const text = `[![Drift of ${name.replace(/[\\[\]`<>*_]/g, '\\$&')}](${url})](${page})`;
  const shown = h('code', { class: 'breakable' }, text);
  return h(
    'section',
    { class: 'panel' },
    h('h2', {}, 'Badge'),
    h('p', { class: 'quiet' }, 'Shows the status in a README. Its key makes only this image readable.'),
    h('p', {}, h('img', { src: badgePath, alt: `Badge of ${name}`, height: 20 })),
    h(
      'div',
      { class: 'badge-text' },
      shown,
      copyButton(
        'the badge as Markdown',
        () => text,
        () => shown,
      ),
    ),
  );
}

const hex = (letter) => `%${letter.codePointAt(0).toString(16)}`;
