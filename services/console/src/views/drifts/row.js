// One drift in the list, and the head of the list.

import { fill, h } from '../../dom.js';
import { breakable } from '../../format.js';
import { KINDS, icon, severityMark } from '../../icons.js';
import * as session from '../../session.js';
import { COLUMNS } from './columns.js';
import { showDeciders } from './deciders.js';
import { changedNames } from './paths.js';

/** Returns the head. `sort` is the order of the list, and `setSort(order)` changes it. */
export function tableHead({ columns, sort, setSort, selectAll }) {
  const all = h('input', {
    type: 'checkbox',
    'aria-label': 'Select all shown drifts',
    on: { change: () => selectAll(all.checked) },
  });
  const column = (name, label, key) =>
    h(
      'th',
      { role: 'columnheader', scope: 'col', class: `cell-${name}`, 'aria-sort': key && orderOf(key, sort) },
      key ? sortButton(label, key, sort, setSort) : label,
    );
  const select = session.may('engineer') ? all : h('span', { class: 'unseen' }, 'Selection');
  return h(
    'thead',
    { role: 'rowgroup' },
    h(
      'tr',
      { role: 'row', 'aria-rowindex': '1' },
      column('select', select),
      column('severity', h('span', { class: 'unseen' }, 'Severity'), 'severity'),
      column('resource', 'Resource'),
      columns.map((name) => column(name, COLUMNS[name].label, COLUMNS[name].sort)),
    ),
  );
}

const orderOf = (key, sort) => ({ [key]: 'ascending', [`-${key}`]: 'descending' })[sort] ?? 'none';

/** Sorts from the highest value down first, and then the other way round. */
function sortButton(label, key, sort, setSort) {
  const next = sort === `-${key}` ? key : `-${key}`;
  const sign = { ascending: 'up', descending: 'down' }[orderOf(key, sort)];
  return h(
    'button',
    { class: 'sort-button', data: { key }, title: 'Sort by this column', on: { click: () => setSort(next) } },
    label,
    icon(sign ?? 'sortable'),
  );
}

/** Returns the value of `grid-template-columns` for these columns, after the selection, the severity and the name. */
export const widthsOf = (columns) => ['minmax(0, 1fr)', ...columns.map((name) => COLUMNS[name].width)].join(' ');

export class Row {
  constructor(drift, { address, columns }) {
    this.address = address;
    this.columns = columns;
    this.link = h('a', { class: 'row-link' });
    this.deciders = h('span', { class: 'row-deciding', hidden: true });
    this.box = session.may('engineer') && h('input', { type: 'checkbox', name: 'drift', value: drift.id });
    this.cells = Object.fromEntries(
      ['select', 'severity', 'resource', ...columns].map((name) => [
        name,
        h('td', { role: 'cell', class: `cell-${name}` }),
      ]),
    );
    this.element = h('tr', { role: 'row', data: { id: drift.id } }, Object.values(this.cells));
    this.refresh(drift);
  }

  /** Shows the drift as the server returned it. */
  refresh(drift) {
    const { select, severity, resource } = this.cells;
    const kind = KINDS[drift.kind];
    const changed = drift.kind === 'changed' ? changedNames(drift) : [];
    fill(this.link, breakable(drift.address));
    this.link.href = this.address(drift.id);
    // The filters in the address may have changed since.
    this.link.onclick = () => (this.link.href = this.address(drift.id));
    if (this.box) this.box.setAttribute('aria-label', `Select ${drift.address}`);
    fill(select, this.box);
    fill(severity, severityMark(drift.severity));
    fill(
      resource,
      this.link,
      h('span', { class: 'row-what' }, icon(kind.icon), changed.length > 0 ? changed.join(', ') : kind.label),
      // Shown where there is no room for the column.
      h('span', { class: 'row-where' }, [drift.stack, drift.region].filter(Boolean).join(' · ')),
      this.deciders,
    );
    for (const name of this.columns) fill(this.cells[name], COLUMNS[name].cell(drift));
    this.cells.cost?.classList.toggle('is-zero', !drift.costImpactMonthly);
    this.element.dataset.status = drift.status;
  }

  /** Shows a drift that changed while the list is shown. */
  change(drift) {
    this.refresh(drift);
    this.#flash('changing');
  }

  /** Shows who is deciding on the drift. */
  showDeciders(people) {
    showDeciders(this.deciders, people);
  }

  arrive() {
    this.#flash('arriving');
  }

  #flash(name) {
    this.element.classList.add(name);
    this.element.addEventListener('animationend', () => this.element.classList.remove(name), { once: true });
  }

  select(isOn) {
    if (this.box) this.box.checked = isOn;
  }

  open(isOpen) {
    if (isOpen) this.link.setAttribute('aria-current', 'true');
    else this.link.removeAttribute('aria-current');
    this.element.classList.toggle('is-open', isOpen);
  }
}
