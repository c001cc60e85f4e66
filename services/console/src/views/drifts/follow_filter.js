// The filter by the people who take care of drifts, and by snooze and rhythm.

import { h } from '../../dom.js';
import * as session from '../../session.js';

const choices = () => [
  ['assignee', session.user()?.id, 'Assigned to me'],
  ['assignee', 'none', 'Assigned to nobody'],
  ['watched', 'true', 'Watched by me'],
  ['snoozed', 'true', 'Snoozed'],
  ['flapping', 'true', 'Returns after each fix'],
];

/** The parameters of these choices, with the words for another value. */
export const FOLLOW = { assignee: 'Assignee', watched: 'Watched', snoozed: 'Snoozed', flapping: 'Flapping' };

export const followLabel = (name, value) =>
  choices().find(([other, wanted]) => other === name && wanted === value)?.[2] ?? `${FOLLOW[name]}: ${value}`;

/** Returns the field. One choice replaces the other. */
export function followFilter(change, query) {
  const select = h(
    'select',
    { id: 'filter-follow', class: 'select', on: { change: choose } },
    h('option', { value: '' }, 'Any'),
    choices().map(([name, value, label]) => h('option', { value: `${name}=${value}` }, label)),
  );
  function choose() {
    const changed = new URLSearchParams(query());
    for (const name of Object.keys(FOLLOW)) changed.delete(name);
    const [name, value] = select.value.split('=');
    if (name) changed.set(name, value);
    change(changed);
  }
  return {
    field: h('div', { class: 'field' }, h('label', { for: select.id }, 'Care'), select),
    show(now) {
      const name = Object.keys(FOLLOW).find((other) => now.has(other));
      select.value = name ? `${name}=${now.get(name)}` : '';
    },
  };
}
