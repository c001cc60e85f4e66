// The difference of a drift: expected and actual value of each attribute.

import { copyButton } from '../../copy.js';
import { h, newId } from '../../dom.js';
import { icon, severityMark } from '../../icons.js';
import * as session from '../../session.js';
import { HIDDEN, attributes, changesOf } from './changes.js';
import { ignoreButton } from './ignore_button.js';
import { searchFor } from './search.js';
import { copyValue, linesView, redacted, rowsOf, sideView, valueView, wholeView } from './value.js';

const WORDS = { added: 'Added', removed: 'Removed', changed: 'Changed', reordered: 'Reordered' };
/** From this number of changes, they are the rows of a table. */
const TABLE_FROM = 5;
/** From this number of changes, a list of links leads to them. */
const LIST_FROM = 8;
/** The paths shown with one reason. */
const MOST_PATHS = 6;

export function diffView(drift) {
  if (!session.may('engineer')) return pathsOnly(drift);
  if (drift.kind === 'missing') return whole('Expected resource', drift.expectedState, 'removed');
  if (drift.kind === 'unmanaged') return whole('Actual resource', drift.actualState, 'added');
  const changes = changesOf(drift).map((change) => ({ ...change, id: newId('change'), drift }));
  const changed = new Set(changes.map(({ label }) => label));
  const same = attributes(drift.expectedState).filter(
    ([label]) => ![...changed].some((name) => label === name || label.startsWith(`${name}.`)),
  );
  return [
    changes.length >= LIST_FROM && jumpList(changes, drift.id),
    changes.length === 0
      ? h('p', { class: 'quiet' }, 'The scan names this resource, but none of its attributes.')
      : changes.length < TABLE_FROM
        ? h('div', { class: 'diff' }, changes.map(changeView))
        : table(changes),
    same.length > 0 &&
      h('details', { class: 'unchanged' }, h('summary', {}, `${same.length} unchanged`), attributeList(same)),
  ];
}

/** For viewers, who see the changed attributes without their values. */
function pathsOnly(drift) {
  const changes = changesOf(drift);
  return [
    h(
      'p',
      { class: 'banner' },
      icon('lock'),
      'Only engineers and admins see values. As a viewer, you see which attributes changed.',
    ),
    h(
      'ul',
      { class: 'changed-paths' },
      changes.map(({ label, path, type, isSensitive, causes }) =>
        h(
          'li',
          {},
          h('code', {}, label),
          searchFor('attr', path.join('.')),
          ` ${WORDS[type].toLowerCase()}`,
          isSensitive && redacted(),
          causesView(label, causes),
        ),
      ),
    ),
  ];
}

/** Links to the changes. The address names the drift, so a link scrolls without leaving it. */
function jumpList(changes, driftId) {
  const jump = (event, id) => {
    event.preventDefault();
    const target = document.getElementById(id);
    target.scrollIntoView({ block: 'start' });
    target.focus({ preventScroll: true });
  };
  return h(
    'nav',
    { class: 'jumps', 'aria-label': 'Changed attributes' },
    h(
      'ul',
      {},
      changes.map(({ id, label, rating }) =>
        h(
          'li',
          {},
          h(
            'a',
            { href: `#/drifts/${driftId}`, on: { click: (event) => jump(event, id) } },
            rating === 'critical' && severityMark(rating),
            h('code', {}, label),
          ),
        ),
      ),
    ),
  );
}

function changeView(change) {
  const { id, label, path, type, expected, actual, causes } = change;
  const name = h('code', {}, label);
  const lines = linesOf(change);
  return h(
    'section',
    { class: 'change', id, tabindex: '-1', data: { type } },
    h(
      'h4',
      {},
      name,
      h('span', { class: 'change-type' }, WORDS[type]),
      h(
        'span',
        { class: 'change-copies' },
        copyButton(
          `the path ${label}`,
          () => label,
          () => name,
        ),
        searchFor('attr', path.join('.')),
        copyValue('expected', label, expected, () => lines),
        copyValue('actual', label, actual, () => lines),
        ignoreButton(change.drift, change),
      ),
    ),
    causesView(label, causes),
    lines,
  );
}

/** Returns both values as lines below each other. */
function linesOf(change) {
  const { label, expected, actual } = change;
  if (expected === HIDDEN && actual === HIDDEN)
    return h('div', { class: 'change-lines' }, h('p', { class: 'change-secret' }, bothHidden()));
  return linesView(rowsOf(change), label);
}

const bothHidden = () => [redacted(), 'changed; both values stay hidden'];

/** Why the paths of an attribute are as severe as they are. Paths with the same reason share a line. */
function causesView(label, causes) {
  if (causes.length === 0) return null;
  const reasons = Map.groupBy(causes, ({ reason }) => reason);
  return h(
    'ul',
    { class: 'causes' },
    [...reasons].map(([reason, sharing]) => {
      const [{ rating }] = sharing;
      const paths = sharing.filter((cause) => cause.label !== label);
      const more = paths.length > MOST_PATHS ? `, ${paths.length - MOST_PATHS} more` : '';
      return h(
        'li',
        {},
        rating === 'critical' && severityMark(rating),
        h(
          'span',
          {},
          reason,
          paths.length > 0 && [
            ': ',
            paths.slice(0, MOST_PATHS).map((cause, at) => [at > 0 && ', ', h('code', {}, cause.label)]),
            more,
          ],
        ),
      );
    }),
  );
}

// A table whose cells are blocks on narrow screens has roles, because it loses those of its elements.

function table(changes) {
  const heads = ['Attribute', 'Expected', 'Actual'].map((text) =>
    h('th', { role: 'columnheader', scope: 'col' }, text),
  );
  return h(
    'table',
    { class: 'diff-table', role: 'table', 'aria-label': 'Changed attributes' },
    h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, heads)),
    h('tbody', { role: 'rowgroup' }, changes.map(tableRow)),
  );
}

function tableRow(change) {
  const { id, label, path, type, causes } = change;
  const name = h('code', {}, label);
  return h(
    'tr',
    { role: 'row', id, tabindex: '-1', data: { type } },
    h(
      'th',
      { role: 'rowheader', scope: 'row' },
      name,
      copyButton(
        `the path ${label}`,
        () => label,
        () => name,
      ),
      searchFor('attr', path.join('.')),
      ignoreButton(change.drift, change),
      h('span', { class: 'change-type' }, WORDS[type]),
      causesView(label, causes),
    ),
    valueCells(change),
  );
}

/** Returns one cell for each side, or one for both if the values have several lines. */
function valueCells(change) {
  const { label, expected, actual } = change;
  const cell = (properties, ...content) => h('td', { role: 'cell', ...properties }, content);
  const isHidden = expected === HIDDEN && actual === HIDDEN;
  const rows = rowsOf(change);
  const [left, right] = ['−', '+'].map((sign) => rows.find((row) => row.sign === sign));
  if (isHidden || rows.some((row) => row !== left && row !== right)) {
    const lines = linesOf(change);
    return cell(
      { colspan: 2, class: 'cell-both' },
      copyValue('expected', label, expected, () => lines),
      copyValue('actual', label, actual, () => lines),
      lines,
    );
  }
  const side = (sign, name, row, value) => {
    const shown = row ? sideView(row, `the ${name} value of ${label}`) : valueView(undefined);
    const properties = { class: 'cell-side', data: { sign, name } };
    return cell(
      properties,
      copyValue(name, label, value, () => shown),
      shown,
    );
  };
  return [side('−', 'expected', left, expected), side('+', 'actual', right, actual)];
}

function whole(title, state, type) {
  const rows = attributes(state);
  if (rows.length === 0) return h('p', { class: 'quiet' }, 'The scan has no attributes of this resource.');
  return [h('h4', { class: 'whole-title', data: { type } }, title), attributeList(rows)];
}

const attributeList = (rows) =>
  h(
    'dl',
    { class: 'attributes' },
    rows.map(([label, value]) => h('div', {}, h('dt', {}, label), h('dd', {}, wholeView(value, label)))),
  );
