// Tables of the administration, which read further pages on demand.

import { h } from '../../dom.js';
import { explain } from '../../format.js';
import { notify } from '../../notice.js';
import { busy } from '../../states.js';

/** Returns a table that scrolls sideways where the screen is narrow. A head is text, or `[text, class]`. */
export function table(label, heads, body) {
  const columns = heads.map((head) => {
    const [text, name] = [head].flat();
    return h('th', { scope: 'col', class: name }, text || h('span', { class: 'unseen' }, 'Actions'));
  });
  return h(
    'div',
    { class: 'table-scroll', tabindex: '0', role: 'region', 'aria-label': label },
    h('table', { class: 'table' }, h('thead', {}, h('tr', {}, columns)), body),
  );
}

/** Returns the button that adds the next page, or null if there is none. */
export function moreButton(body, cursor, page, row) {
  if (!cursor) return null;
  const more = h('button', { class: 'button', on: { click: () => busy(more, read) } }, 'More');
  async function read() {
    try {
      const next = await page(cursor);
      body.append(...next.data.map(row));
      cursor = next.page.nextCursor;
      if (!cursor) more.remove();
    } catch (error) {
      notify(explain(error), { tone: 'error' });
    }
  }
  return more;
}
