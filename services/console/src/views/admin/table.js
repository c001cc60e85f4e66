// Tables of the administration, which read further pages on demand.

import { h } from '../../dom.js';
import { explain } from '../../format.js';
import { notify } from '../../notice.js';
import { busy } from '../../states.js';

/** Returns a table whose rows are cards where the screen is narrow. `bodies` are its bodies, which may change. */
export function table(label, heads, ...bodies) {
  const columns = heads.map((text) =>
    h('th', { role: 'columnheader', scope: 'col' }, text || h('span', { class: 'unseen' }, 'Actions')),
  );
  for (const body of bodies) keepLabelled(body, heads);
  // A table whose rows are cards would lose the roles of its elements.
  return h(
    'table',
    { class: 'table', role: 'table', 'aria-label': label },
    h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, columns)),
    bodies,
  );
}

/** Gives each cell the name of its column, now and when rows change. A card shows the name. */
function keepLabelled(body, heads) {
  const labelAll = () => {
    for (const row of body.rows) {
      row.setAttribute('role', 'row');
      let column = 0;
      for (const cell of row.cells) {
        cell.setAttribute('role', 'cell');
        if (cell.colSpan === 1 && heads[column]) cell.dataset.label = heads[column];
        column += cell.colSpan;
      }
    }
  };
  body.setAttribute('role', 'rowgroup');
  new MutationObserver(labelAll).observe(body, { childList: true, subtree: true });
  labelAll();
}

/** Returns the button that adds the next page, or null if there is none. `append` shows the entries of a page. */
export function moreButton(append, cursor, page) {
  if (!cursor) return null;
  const more = h('button', { class: 'button', on: { click: () => busy(more, read) } }, 'More');
  async function read() {
    try {
      const next = await page(cursor);
      await append(next.data);
      cursor = next.page.nextCursor;
      if (!cursor) more.remove();
    } catch (error) {
      notify(explain(error), { tone: 'error' });
    }
  }
  return more;
}
