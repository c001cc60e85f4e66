// Shows whether the page is live, and the time of the data if it is not.

import { fill, h } from './dom.js';
import { atClock } from './format.js';
import { connection, onState } from './socket.js';

/** Shorter interruptions are not shown. */
const PATIENCE_MS = 700;

export function connectionPill(signal) {
  const text = h('span', { class: 'pill-text' });
  const pill = h(
    'div',
    { class: 'pill', role: 'status' },
    h('span', { class: 'pill-dot', 'aria-hidden': 'true' }),
    text,
  );
  let timer = 0;
  const show = () => {
    const { name, heardAt } = connection();
    pill.dataset.state = name;
    if (name === 'live') fill(text, 'Live');
    else if (name === 'reconnecting') fill(text, 'Reconnecting', h('small', {}, `as of ${atClock(heardAt)}`));
    else fill(text, 'Connecting');
  };
  onState(() => {
    clearTimeout(timer);
    timer = setTimeout(show, connection().name === 'live' ? 0 : PATIENCE_MS);
  }, signal);
  show();
  return pill;
}
