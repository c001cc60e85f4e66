// Values as lines: objects and arrays, also inside texts that contain JSON, and texts of several lines. Pure
// functions.

import { embedded } from './changes.js';
import { compareSequences, compareWords } from './sequence.js';

/** A text in a text in a text: deeper ones stay as they are, as in the service. */
const MOST_EMBEDDED = 4;

/** Among more items, the first one counts as the most similar. */
const MOST_COMPARED = 50;

/** Returns `[{sign, text, runs?}]` for two values of which one has several lines, else null. */
export function structureRows(expected, actual, isOrdered) {
  if (!hasStructure(expected) && !hasStructure(actual)) return null;
  const [left, right] = [opened(expected), opened(actual)];
  const steps = compareSequences(linesOf(left), linesOf(isOrdered ? right : aligned(left, right)));
  return withWords(steps.map(({ sign, item }) => ({ sign, text: item })));
}

function hasStructure(value) {
  if (typeof value === 'string') return value.includes('\n') || embedded(value) !== undefined;
  return value !== null && typeof value === 'object' && Object.keys(value).length > 0;
}

function linesOf(value) {
  if (value === undefined || value === null) return [];
  if (typeof value === 'string') return value.split('\n');
  // Without the commas at the ends of lines: a new last item must not change the line before.
  return JSON.stringify(value, null, 2)
    .split('\n')
    .map((line) => line.replace(/,$/, ''));
}

/** Replaces the texts that contain JSON by their content, and sorts the keys, whose order means nothing. */
function opened(value, depth = 0) {
  const inside = typeof value === 'string' && depth < MOST_EMBEDDED ? embedded(value) : undefined;
  if (inside !== undefined) return opened(inside, depth + 1);
  if (Array.isArray(value)) return value.map((item) => opened(item, depth));
  if (value === null || typeof value !== 'object') return value;
  const sorted = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(sorted.map(([key, item]) => [key, opened(item, depth)]));
}

/** Returns `actual` with the items of its arrays in the order of the equal items of `expected`: arrays are often
 * sets. */
export function aligned(expected, actual) {
  if (Array.isArray(expected) && Array.isArray(actual)) {
    const { pairs, others } = matched(expected, actual);
    const ordered = pairs.flatMap(({ item, partner }) => {
      if (partner) return [partner.item];
      return others.length > 0 ? [aligned(item, takeSimilar(item, others))] : [];
    });
    return [...ordered, ...others];
  }
  if (!isObject(expected) || !isObject(actual)) return actual;
  return Object.fromEntries(
    Object.entries(actual).map(([key, item]) => [
      key,
      aligned(Object.hasOwn(expected, key) ? expected[key] : null, item),
    ]),
  );
}

/** Removes and returns the item that has the most fields in common with `wanted`, or the first one. */
function takeSimilar(wanted, items) {
  if (!isObject(wanted) || items.length > MOST_COMPARED) return items.shift();
  const likeness = (item) =>
    isObject(item)
      ? Object.keys(wanted).filter((key) => JSON.stringify(wanted[key]) === JSON.stringify(item[key])).length
      : -1;
  const scores = items.map(likeness);
  return items.splice(scores.indexOf(Math.max(...scores)), 1)[0];
}

const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);

/** Pairs each expected item with an equal actual item; `others` has the actual items without a partner. */
function matched(expected, actual) {
  const places = new Map();
  for (const [at, item] of actual.entries()) {
    const text = JSON.stringify(item);
    if (places.has(text)) places.get(text).push(at);
    else places.set(text, [at]);
  }
  const used = new Set();
  const pairs = expected.map((item) => {
    const at = places.get(JSON.stringify(item))?.shift();
    if (at === undefined) return { item };
    used.add(at);
    return { item, partner: { item: actual[at] } };
  });
  return { pairs, others: actual.filter((_, at) => !used.has(at)) };
}

/** Merges two arrays into `[{sign: '+' | '−' | ' ', item}]`, by content and not by index. */
export function arrayLines(expected, actual) {
  const { pairs, others } = matched(expected ?? [], actual ?? []);
  return [
    ...pairs.map(({ item, partner }) => ({ sign: partner ? ' ' : '−', item })),
    ...others.map((item) => ({ sign: '+', item })),
  ];
}

/** Marks the words that changed in lines that follow each other. */
function withWords(rows) {
  for (let at = 0; at < rows.length; at += 1) {
    if (rows[at].sign !== '−') continue;
    const removed = runLength(rows, at, '−');
    const added = runLength(rows, at + removed, '+');
    for (let nth = 0; nth < Math.min(removed, added); nth += 1) {
      const [one, other] = [rows[at + nth], rows[at + removed + nth]];
      const words = compareWords(one.text, other.text);
      if (words) [one.runs, other.runs] = [words.left, words.right];
    }
    at += removed + added - 1;
  }
  return rows;
}

function runLength(rows, from, sign) {
  let at = from;
  while (rows[at]?.sign === sign) at += 1;
  return at - from;
}
