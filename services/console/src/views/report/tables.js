// The tables of the report. Each is null if it has no row.

import { h } from '../../dom.js';
import { breakable, count, duration, exactTime } from '../../format.js';
import { severityMark } from '../../icons.js';
import { nameOf } from '../../people.js';
import * as session from '../../session.js';
import { table } from '../admin/table.js';
import { stackAddress } from '../stacks/words.js';

/** On paper, "you" would name nobody. */
function personName(id) {
  const own = session.user();
  return id === own?.id ? (own.name ?? own.email) : nameOf(id);
}

const filled = (label, heads, entries, row) =>
  entries.length > 0 ? table(label, heads, h('tbody', {}, entries.map(row))) : null;

const numberCell = (value) => h('td', { class: 'number' }, count(value));

export const decidersTable = (decided) =>
  filled('Decided', ['Who', 'Approved', 'Rejected', 'Median time to decide'], decided, (person) =>
    h(
      'tr',
      {},
      h('td', {}, personName(person.by)),
      numberCell(person.approved),
      numberCell(person.rejected),
      h('td', {}, duration(person.medianHours)),
    ),
  );

export const acceptedTable = ({ accepted }) =>
  filled('Accepted', ['Resource', 'Stack', 'Approved by', 'Approved', 'Reason', 'Until'], accepted, (drift) =>
    h(
      'tr',
      { data: { id: drift.id } },
      h(
        'td',
        {},
        h(
          'span',
          { class: 'report-resource' },
          severityMark(drift.severity),
          h('a', { href: `#/drifts/${drift.id}` }, breakable(drift.address)),
        ),
      ),
      h('td', {}, breakable(drift.stack)),
      h('td', {}, personName(drift.approvedBy)),
      h('td', {}, exactTime(drift.approvedAt)),
      h('td', { class: 'report-reason' }, drift.approvedReason ?? '–'),
      h('td', {}, drift.until ? exactTime(drift.until) : 'the value changes'),
    ),
  );

export const stacksTable = (stacks, end) =>
  filled('Stacks', ['Stack', 'Opened', 'Resolved', `Open ${end}`], stacks, (entry) =>
    h(
      'tr',
      {},
      h('td', {}, h('a', { href: stackAddress(entry.stack) }, breakable(entry.stack))),
      numberCell(entry.opened),
      numberCell(entry.resolved),
      numberCell(entry.openAtEnd),
    ),
  );
