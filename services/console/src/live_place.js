// A part of a view that loads by itself and stays up to date.

import { h } from './dom.js';
import { onLive, throttled } from './live.js';
import { load } from './states.js';

const controls = (place) => [...place.querySelectorAll('a[href], button, input, select')];

/**
 * Returns an element that shows the result of `work`, and a function that reads it again. It is also read again,
 * at most once in `ms`, after events whose type starts with one of the prefixes. `work` gets that function.
 */
export function livePlace(prefixes, ms, signal, work, { rows }) {
  const place = h('div', {});
  const read = (quietly, worked = work) => load(place, signal, () => worked(reread), { rows, quietly });
  async function reread() {
    let focused = -1;
    await read(true, async (again) => {
      const content = await work(again);
      focused = controls(place).indexOf(document.activeElement);
      return content;
    });
    // The focused control was replaced by a new one.
    if (focused >= 0) (controls(place)[focused] ?? controls(place).at(-1))?.focus();
  }
  const again = throttled(ms, reread, signal);
  for (const prefix of [...prefixes, 'resync']) onLive(prefix, again, signal);
  read(false);
  return { place, reread };
}
