// A part of a view that loads by itself and stays up to date.

import { h } from './dom.js';
import { onLive, throttled } from './live.js';
import { load } from './states.js';

/**
 * Returns an element that shows the result of `work`, and a function that reads it again. It is also read again,
 * at most once in `ms`, after events whose type starts with one of the prefixes. `work` gets that function.
 */
export function livePlace(prefixes, ms, signal, work, { rows }) {
  const place = h('div', {});
  const read = (quietly) => load(place, signal, () => work(reread), { rows, quietly });
  const reread = () => read(true);
  const again = throttled(ms, reread, signal);
  for (const prefix of [...prefixes, 'resync']) onLive(prefix, again, signal);
  read(false);
  return { place, reread };
}
