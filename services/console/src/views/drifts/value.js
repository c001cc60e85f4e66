// Values of attributes: one value, or an expected and an actual value with the changes between them marked.

import { copyButton } from '../../copy.js';
import { fill, h } from '../../dom.js';
import { count, plural } from '../../format.js';
import { icon } from '../../icons.js';
import { HIDDEN } from './changes.js';
import { compareWords, foldRows, foldRuns } from './sequence.js';
import { arrayLines, structureRows } from './structure.js';

/** Returns the rows of a change: `{sign, value}`, or `{sign, text, runs?}` for a line or a text. */
export function rowsOf({ type, expected, actual, isSensitive }) {
  if (
    Array.isArray(expected) &&
    Array.isArray(actual) &&
    !isSensitive &&
    isFlat(expected) &&
    isFlat(actual)
  ) {
    if (type !== 'reordered')
      return arrayLines(expected, actual).map(({ sign, item }) => ({ sign, value: item }));
  }
  const structure = structureRows(expected, actual, type === 'reordered');
  if (structure) return structure;
  const sides = [];
  if (type !== 'added') sides.push({ sign: '−', value: expected });
  if (type !== 'removed') sides.push({ sign: '+', value: actual });
  const words = isText(expected) && isText(actual) ? compareWords(expected, actual) : null;
  if (words && sides.length === 2) [sides[0].runs, sides[1].runs] = [words.left, words.right];
  return sides;
}

const isFlat = (array) => array.every((item) => item === null || typeof item !== 'object');
const isText = (value) => typeof value === 'string' && value !== '' && value !== HIDDEN;

const SPOKEN = { '−': 'expected', '+': 'actual', ' ': 'same' };

/** Returns the rows as lines. Long parts without changes are folded, with a button that shows them. `name` says for
 * screen readers which value the button belongs to. */
export const linesView = (rows, name) =>
  foldable('div', { class: rows.length > 2 ? 'change-lines is-dense' : 'change-lines' }, name, (isFolded) => {
    const shown = isFolded ? foldRows(rows) : rows;
    return {
      nodes: shown.map((row) => (row.gap ? gap(row.gap) : line(row, isFolded))),
      isCut: shown.some(isCut),
    };
  });

/** Returns the row of one side as the content of a cell. */
export const sideView = (row, name) =>
  foldable('div', { class: 'change-value' }, name, (isFolded) => ({
    nodes: [content(row, isFolded)],
    isCut: isCut(row),
  }));

/** Returns a value that is compared with no other one. */
export function wholeView(value, name) {
  const lines = structureRows(value, undefined, false)?.map((row) => ({ ...row, sign: '' }));
  return lines ? linesView(lines, name) : sideView({ sign: '', value }, name);
}

const isCut = (row) =>
  row.gap > 0 || (textRuns(row) !== null && foldRuns(textRuns(row)).some(({ cut }) => cut));

function foldable(tag, properties, name, draw) {
  const element = h(tag, properties);
  const { nodes, isCut } = draw(true);
  if (!isCut) return fill(element, nodes);
  const button = h(
    'button',
    { class: 'link-button show-all', type: 'button', 'aria-expanded': 'false', on: { click: toggle } },
    'Show all',
    h('span', { class: 'unseen' }, ` of ${name}`),
  );
  function toggle() {
    const isFolded = button.getAttribute('aria-expanded') === 'true';
    button.setAttribute('aria-expanded', String(!isFolded));
    button.firstChild.textContent = isFolded ? 'Show all' : 'Show less';
    // The button stays in place, so that it keeps the focus.
    for (const node of [...element.childNodes]) if (node !== button) node.remove();
    button.before(...draw(isFolded).nodes);
  }
  return fill(element, nodes, button);
}

const gap = (lines) => h('p', { class: 'change-gap' }, `… ${plural(lines, 'line')} not shown`);

function line(row, isFolded) {
  return h(
    'div',
    { class: 'change-line', data: { sign: row.sign } },
    row.sign && [
      h('span', { class: 'change-sign', 'aria-hidden': 'true' }, row.sign),
      h('span', { class: 'unseen' }, `${SPOKEN[row.sign]}: `),
    ],
    content(row, isFolded),
  );
}

/** Returns the text of a row as runs; null if the row has a value that is no text. */
function textRuns({ runs, text, value }) {
  if (runs) return runs;
  const whole = text ?? (isText(value) ? value : null);
  return whole === null ? null : [{ text: whole, isChanged: true }];
}

function content(row, isFolded) {
  const runs = textRuns(row);
  if (runs === null) return valueView(row.value);
  // Only words are marked: a line that changed as a whole has the colour of its side.
  const shown = isFolded ? foldRuns(runs) : runs;
  return h(
    'code',
    {},
    shown.map(({ text, isChanged, cut }) => {
      if (cut)
        return h('span', { class: 'cut' }, '…', h('span', { class: 'unseen' }, `${count(cut)} characters`));
      return isChanged && row.runs ? h('mark', {}, text) : text;
    }),
  );
}

/** Returns one value without a comparison. */
export function valueView(value) {
  if (value === HIDDEN) return redacted();
  if (value === null || value === undefined) return h('span', { class: 'quiet' }, 'none');
  if (value === '') return h('span', { class: 'quiet' }, 'empty text');
  if (typeof value === 'object') return h('pre', {}, JSON.stringify(value, null, 2));
  return h('code', { class: `value-${typeof value}` }, String(value));
}

export const redacted = () => h('span', { class: 'redacted' }, icon('lock'), 'redacted');

/** Returns the button that copies the expected or the actual value, or null if there is nothing to copy. */
export function copyValue(side, label, value, shown) {
  if (value === HIDDEN || value === null || value === undefined || value === '') return null;
  const text = () => (typeof value === 'string' ? value : JSON.stringify(value, null, 2));
  const button = copyButton(`the ${side} value of ${label}`, text, shown);
  button.dataset.side = side;
  return button;
}
