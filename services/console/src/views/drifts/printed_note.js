// The note on paper about rows of the list that are not printed.

import { fill, h } from '../../dom.js';
import { count, plural } from '../../format.js';
import { PRINTED } from './row_window.js';

/** Returns the note, which only paper shows. `numbers()` returns the loaded and the matching drifts. */
export function printedNote(numbers, signal) {
  const note = h('p', { class: 'only-printed' });
  const write = () => {
    const [loaded, total] = numbers();
    const shown = Math.min(PRINTED, loaded);
    const text = `The first ${count(shown)} of ${plural(total, 'drift')}. An export has all of them.`;
    fill(note, shown < total ? text : null);
  };
  addEventListener('beforeprint', write, { signal });
  return note;
}
