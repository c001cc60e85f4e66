// One drift in the list.

import { fill, h } from '../../dom.js';
import { ago, breakable } from '../../format.js';
import { KINDS, STATUSES, icon, severityMark } from '../../icons.js';
import * as session from '../../session.js';
import { costText } from './cost.js';
import { changedNames } from './paths.js';
import { isFlapping, rhythm } from './rhythm.js';

export function tableHead(selectAll) {
  const all = h('input', {
    type: 'checkbox',
    'aria-label': 'Select all shown drifts',
    on: { change: () => selectAll(all.checked) },
  });
  const column = (name, label) =>
    h('th', { role: 'columnheader', scope: 'col', class: `cell-${name}` }, label);
  return h(
    'thead',
    { role: 'rowgroup' },
    h(
      'tr',
      { role: 'row' },
      h(
        'th',
        { role: 'columnheader', scope: 'col', class: 'cell-select' },
        session.may('engineer') ? all : h('span', { class: 'unseen' }, 'Selection'),
      ),
      column('severity', h('span', { class: 'unseen' }, 'Severity')),
      column('resource', 'Resource'),
      column('where', 'Where'),
      column('status', 'Status'),
      column('cost', 'Cost / month'),
      column('age', 'Detected'),
    ),
  );
}

export class Row {
  constructor(drift, address) {
    this.address = address;
    this.link = h('a', { class: 'row-link' });
    this.box = session.may('engineer') && h('input', { type: 'checkbox', name: 'drift', value: drift.id });
    this.cells = Object.fromEntries(
      ['select', 'severity', 'resource', 'where', 'status', 'cost', 'age'].map((name) => [
        name,
        h('td', { role: 'cell', class: `cell-${name}` }),
      ]),
    );
    this.element = h('tr', { role: 'row', data: { id: drift.id } }, Object.values(this.cells));
    this.refresh(drift);
  }

  /** Shows the drift as the server returned it. */
  refresh(drift) {
    this.drift = drift;
    const { select, severity, resource, where, status, cost, age } = this.cells;
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
    );
    fill(where, h('span', {}, drift.stack), h('small', {}, drift.region ?? drift.accountId ?? ''));
    fill(cost, costText(drift));
    const flaps = isFlapping(drift) && h('small', { class: 'flaps', title: rhythm(drift) }, 'returns');
    fill(status, statusMark(drift.status), flaps);
    cost.classList.toggle('is-zero', !drift.costImpactMonthly);
    fill(age, ago(drift.detectedAt));
    this.element.dataset.status = drift.status;
  }

  /** Updates fields of the drift; the row stays at its position. */
  change(fields) {
    this.refresh({ ...this.drift, ...fields });
    this.#flash('changing');
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

export function statusMark(status) {
  const { icon: name, label } = STATUSES[status];
  return h('span', { class: 'status', data: { status } }, icon(name), label);
}
