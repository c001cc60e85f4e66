// The stacks that need attention most, with their status and their open drifts.

import { get } from '../../api.js';
import { h } from '../../dom.js';
import { breakable } from '../../format.js';
import { livePlace } from '../../live_place.js';
import { openDrifts, verdict } from '../stacks/row.js';
import { STACKS, stackAddress, stackStatus } from '../stacks/words.js';

const SHOWN = 7;
const OFTEN_MS = 2_000;

export function worstStacks(signal) {
  const work = async () => {
    const { data } = await get(STACKS, { limit: SHOWN }, { signal });
    if (data.length === 0) return h('p', { class: 'quiet' }, 'No stack has been scanned.');
    return h('ol', { class: 'worst-stacks' }, data.map(entry));
  };
  const { place } = livePlace(['stack:', 'scan:', 'drift:'], OFTEN_MS, signal, work, { rows: 5 });
  return h(
    'section',
    { class: 'panel' },
    h('header', {}, h('h2', {}, 'Worst stacks'), h('a', { href: '#/stacks' }, 'All')),
    place,
  );
}

const entry = (stack) =>
  h(
    'li',
    {},
    h(
      'span',
      { class: 'worst-stack' },
      h('a', { href: stackAddress(stack.name) }, breakable(stack.name)),
      h('small', {}, verdict(stack)),
    ),
    stackStatus(stack.status),
    openDrifts(stack),
  );
