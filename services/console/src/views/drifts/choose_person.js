// The dialog that chooses a person from the directory.

import { get } from '../../api.js';
import { openDialog } from '../../dialog.js';
import { fill, h } from '../../dom.js';
import { explain } from '../../format.js';
import { DIRECTORY } from '../../people.js';

const SHOWN = 20;
const PAUSE_MS = 200;

/** Resolves to the id of the chosen person, or to undefined. */
export function choosePerson(title) {
  return openDialog(title, (close) => {
    let reading = new AbortController();
    let timer = 0;
    const people = h('ul', { class: 'people-choice', 'aria-label': 'People' });
    const told = h('p', { class: 'quiet', role: 'status' });
    const read = async () => {
      reading.abort();
      reading = new AbortController();
      const { signal } = reading;
      try {
        const { data, page } = await get(DIRECTORY, { q: search.value.trim(), limit: SHOWN }, { signal });
        const choice = ({ id, name }) =>
          h('li', {}, h('button', { class: 'button', type: 'button', on: { click: () => close(id) } }, name));
        fill(people, data.map(choice));
        const more = page.nextCursor && 'More people match: type more of the name.';
        fill(told, data.length === 0 ? 'Nobody has this name.' : more);
      } catch (error) {
        if (!signal.aborted) fill(told, explain(error));
      }
    };
    const search = h('input', {
      id: 'person-search',
      type: 'search',
      autocomplete: 'off',
      maxlength: 100,
      autofocus: true,
      on: {
        input() {
          clearTimeout(timer);
          timer = setTimeout(read, PAUSE_MS);
        },
      },
    });
    read();
    return [
      h('div', { class: 'field' }, h('label', { for: search.id }, 'Part of the name'), search),
      people,
      told,
    ];
  });
}
