// Exports exactly the rows of a list, with its filters and its order.

import { download, withQuery } from '../../api.js';
import { h } from '../../dom.js';
import { explain } from '../../format.js';
import { notify } from '../../notice.js';
import { saveFile } from '../../save_file.js';
import { busy } from '../../states.js';
import { menu } from './menu.js';

const FORMATS = {
  csv: ['CSV', 'for spreadsheets'],
  json: ['JSON', 'as the API returns them'],
  sarif: ['SARIF', 'for code scanning'],
};

/** Returns the menu for a list at `path`; `filters()` are those of the list. */
export function exportMenu(path, formats, filters, signal) {
  const save = async (button, format) => {
    try {
      const file = await busy(button, () => download(withQuery(path, { ...filters(), format })));
      if (!file) return;
      saveFile(file, file.name);
      element.open = false;
      element.firstChild.focus();
    } catch (error) {
      notify(explain(error), { tone: 'error' });
    }
  };
  const buttons = formats.map((format) => {
    const [label, purpose] = FORMATS[format];
    return h(
      'button',
      { class: 'quiet-button', on: { click: ({ currentTarget }) => save(currentTarget, format) } },
      label,
      h('small', { class: 'quiet' }, ` ${purpose}`),
    );
  });
  const element = menu('Export', buttons, signal);
  element.classList.add('export');
  return element;
}
