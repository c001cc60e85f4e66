// The menu that chooses the columns of a tab and the height of the rows.

import { h, newId } from '../../dom.js';
import { COLUMNS, columnsOf, keepColumns, tabOf } from './columns.js';
import { menu } from './menu.js';

const KEY = 'driftsentry.density';
const DENSITIES = { comfortable: 'Comfortable', compact: 'Compact' };

export const density = () => (localStorage.getItem(KEY) === 'compact' ? 'compact' : 'comfortable');

/**
 * Returns the menu. `change(query)` goes to another address, and `redraw()` shows the list with the columns and the
 * density of this device.
 */
export function columnsMenu({ change, redraw, signal }) {
  let query = new URLSearchParams();
  const boxes = Object.entries(COLUMNS).map(([name, { label }]) => ({
    name,
    ...option(label, { type: 'checkbox', name: 'column', value: name, on: { change: choose } }),
  }));
  const radios = Object.entries(DENSITIES).map(([value, label]) => ({
    value,
    ...option(label, { type: 'radio', name: 'density', value, on: { change: () => setDensity(value) } }),
  }));

  function choose() {
    keepColumns(
      tabOf(query),
      boxes.filter(({ input }) => input.checked).map(({ name }) => name),
    );
    if (!query.has('columns')) return redraw();
    // The columns of a shared address make room for the chosen ones.
    const changed = new URLSearchParams(query);
    changed.delete('columns');
    return change(changed);
  }

  function setDensity(value) {
    localStorage.setItem(KEY, value);
    redraw();
  }

  const element = menu(
    'Columns',
    [
      h('fieldset', { class: 'options' }, h('legend', {}, 'Columns of this tab'), boxes.map(({ line }) => line)),
      h('fieldset', { class: 'options' }, h('legend', {}, 'Rows'), radios.map(({ line }) => line)),
    ],
    signal,
  );
  return {
    element,
    show(now) {
      query = now;
      const names = columnsOf(query);
      for (const { name, input } of boxes) input.checked = names.includes(name);
      for (const { value, input } of radios) input.checked = value === density();
    },
  };
}

function option(label, properties) {
  const input = h('input', { id: newId('option'), ...properties });
  return { input, line: h('div', { class: 'option' }, input, h('label', { for: input.id }, label)) };
}
