// The differences between two lists of rules.

import { h } from '../../dom.js';
import { difference } from './words.js';

const line = (sign, name) => (text) =>
  h(
    'li',
    { data: { sign } },
    h('span', { class: 'unseen' }, `${name}: `),
    h('code', { class: 'breakable' }, text),
  );

/** Returns the list of added and removed rules, and of `others`, which are texts; null if it would be empty. */
export const changedRules = (added, removed, others = []) =>
  added.length + removed.length + others.length > 0 &&
  h(
    'ul',
    { class: 'rule-changes' },
    added.map(line('+', 'Added')),
    removed.map(line('−', 'Removed')),
    others.map((text) => h('li', {}, text)),
  );

/** Returns what differs between two lists. */
export function changesView(before, after) {
  const { added, removed, isReordered } = difference(before.rules, after.rules);
  const isOtherThreshold = (before.alertThreshold ?? null) !== (after.alertThreshold ?? null);
  const others = [
    isReordered && 'The order changes.',
    isOtherThreshold && `Alerts from: ${after.alertThreshold ?? 'as in the file'}.`,
  ].filter(Boolean);
  return changedRules(added, removed, others) || h('p', { class: 'quiet' }, 'The rules stay as they are.');
}
