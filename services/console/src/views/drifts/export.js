// Exports exactly the drifts of the list, with its filters and its order.

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

/** Returns the menu; `filters()` are those of the list. */
export function exportMenu(filters, signal) {
  const save = async (button, format) => {
    try {
      const path = withQuery('/api/v1/drifts/export', { ...filters(), format });
      const file = await busy(button, () => download(path));
      if (!file) return;
      saveFile(file, file.name);
      element.open = false;
      element.firstChild.focus();
    } catch (error) {
      notify(explain(error), { tone: 'error' });
    }
  };
  const buttons = Object.entries(FORMATS).map(([format, [label, purpose]]) =>
    h(
      'button',
      { class: 'quiet-button', on: { click: ({ currentTarget }) => save(currentTarget, format) } },
      label,
      h('small', { class: 'quiet' }, ` ${purpose}`),
    ),
  );
  const element = menu('Export', buttons, signal);
  element.classList.add('export');
  return element;
}
