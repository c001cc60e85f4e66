// The difference of a drift: expected and actual value of each attribute.

import { h } from '../../dom.js';
import { icon } from '../../icons.js';
import * as session from '../../session.js';
import { HIDDEN, arrayLines, attributes, changesOf } from './changes.js';

const WORDS = { added: 'Added', removed: 'Removed', changed: 'Changed', reordered: 'Reordered' };

export function diffView(drift) {
  if (!session.may('engineer')) return pathsOnly(drift);
  if (drift.kind === 'missing') return whole('Expected resource', drift.expectedState, 'removed');
  if (drift.kind === 'unmanaged') return whole('Actual resource', drift.actualState, 'added');
  const changes = changesOf(drift);
  const changed = new Set(changes.map(({ label }) => label));
  const same = attributes(drift.expectedState).filter(
    ([label]) => ![...changed].some((name) => label === name || label.startsWith(`${name}.`)),
  );
  return [
    changes.length > 0
      ? h('div', { class: 'diff' }, changes.map(changeView))
      : h('p', { class: 'quiet' }, 'The scan names this resource, but none of its attributes.'),
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
      changes.map(({ label, type, isSensitive }) =>
        h('li', {}, h('code', {}, label), ` ${WORDS[type].toLowerCase()}`, isSensitive && redacted()),
      ),
    ),
  ];
}

function changeView({ label, type, expected, actual, isSensitive, reason }) {
  return h(
    'section',
    { class: 'change', data: { type } },
    h(
      'h4',
      {},
      h('code', {}, label),
      h('span', { class: 'change-type' }, reason ? `${WORDS[type]}: ${reason}` : WORDS[type]),
    ),
    Array.isArray(expected) && Array.isArray(actual) && !isSensitive
      ? h(
          'div',
          { class: 'change-lines' },
          arrayLines(expected, actual).map(({ sign, item }) => line(sign, item)),
        )
      : sides(type, expected, actual),
  );
}

function sides(type, expected, actual) {
  if (expected === HIDDEN && actual === HIDDEN) {
    return h(
      'div',
      { class: 'change-lines' },
      h('p', { class: 'change-secret' }, redacted(), 'changed; both values stay hidden'),
    );
  }
  return h(
    'div',
    { class: 'change-lines' },
    type !== 'added' && line('−', expected),
    type !== 'removed' && line('+', actual),
  );
}

const SPOKEN = { '−': 'expected', '+': 'actual', ' ': 'same' };

function line(sign, value) {
  return h(
    'div',
    { class: 'change-line', data: { sign } },
    h('span', { class: 'change-sign', 'aria-hidden': 'true' }, sign),
    h('span', { class: 'unseen' }, `${SPOKEN[sign]}: `),
    valueView(value),
  );
}

function valueView(value) {
  if (value === HIDDEN) return redacted();
  if (value === null || value === undefined) return h('span', { class: 'quiet' }, 'none');
  if (value === '') return h('span', { class: 'quiet' }, 'empty text');
  if (typeof value === 'object') return h('pre', {}, JSON.stringify(value, null, 2));
  return h('code', { class: `value-${typeof value}` }, String(value));
}

const redacted = () => h('span', { class: 'redacted' }, icon('lock'), 'redacted');

function whole(title, state, type) {
  const rows = attributes(state);
  if (rows.length === 0) return h('p', { class: 'quiet' }, 'The scan has no attributes of this resource.');
  return [h('h4', { class: 'whole-title', data: { type } }, title), attributeList(rows)];
}

const attributeList = (rows) =>
  h(
    'dl',
    { class: 'attributes' },
    rows.map(([label, value]) => h('div', {}, h('dt', {}, label), h('dd', {}, valueView(value)))),
  );
