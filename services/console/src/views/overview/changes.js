// The changes since the last visit of this person on this device.

import { get } from '../../api.js';
import { h } from '../../dom.js';
import { ago, count, exactTime, plural } from '../../format.js';
import { livePlace } from '../../live_place.js';
import { lastVisit } from '../../visits.js';
import { stackAddress } from '../stacks/words.js';

const OFTEN_MS = 3_000;
const MOST_STACKS = 5;

/** Returns the section, or null on the first visit. */
export function sinceLastVisit(signal) {
  const since = lastVisit();
  if (!since) return null;
  const work = async () => {
    const { data } = await get('/api/v1/metrics/changes', { since }, { signal });
    const parts = partsOf(data);
    if (parts.length === 0) return h('p', { class: 'quiet' }, 'Nothing has changed.');
    return [h('ul', { class: 'changes' }, parts.map((part) => h('li', {}, part))), stacksOf(data.stacks)];
  };
  const { place } = livePlace(['drift:', 'alert:'], OFTEN_MS, signal, work, { rows: 1 });
  return h(
    'section',
    { class: 'panel since' },
    h(
      'header',
      {},
      h('h2', {}, 'Since your last visit'),
      h('p', { class: 'note' }, exactTime(since), ' · ', ago(since, 'ago')),
    ),
    place,
  );
}

function partsOf({ since, opened, approved, rejected, resolved, reopened, alerts }) {
  const total = opened.critical + opened.warning + opened.info;
  const linked = (query, text) => h('a', { href: `#/drifts?${new URLSearchParams(query)}` }, text);
  return [
    total > 0 && [
      linked({ status: 'any', detectedFrom: since, sort: '-severity' }, `${plural(total, 'drift')} opened`),
      opened.critical > 0 && `, ${count(opened.critical)} critical`,
    ],
    approved > 0 && linked({ status: 'approved' }, `${count(approved)} approved`),
    rejected > 0 && linked({ status: 'rejected' }, `${count(rejected)} rejected`),
    resolved > 0 && linked({ status: 'resolved' }, `${count(resolved)} resolved`),
    reopened > 0 && `${count(reopened)} reopened`,
    alerts > 0 && h('a', { href: '#/alerts?all=' }, plural(alerts, 'alert')),
  ].filter(Boolean);
}

function stacksOf(stacks) {
  if (stacks.length === 0) return null;
  const shown = stacks.slice(0, MOST_STACKS);
  const entries = shown.map(({ stack, opened, resolved }) =>
    h('li', {}, h('a', { href: stackAddress(stack) }, stack), h('small', {}, ` +${count(opened)} −${count(resolved)}`)),
  );
  const label = 'Stacks with the most changes, with opened and resolved drifts';
  return h(
    'ul',
    { class: 'changed-stacks', 'aria-label': label },
    entries,
    stacks.length > shown.length && h('li', { class: 'quiet' }, 'and others'),
  );
}
