// The attributes in which the expected and the actual state differ. Pure functions.

import { exactly } from '../../http.js';
import { label, upToIndex } from './paths.js';

export const HIDDEN = '(sensitive value)';

/**
 * Returns `{label, path, type, expected, actual, isSensitive, rating, reason, causes}` for each changed attribute.
 * `causes` are the changed paths in it that have a reason: `{label, rating, reason}`, the most severe first.
 */
export function changesOf({ difference, expectedState, actualState }) {
  const merged = new Map();
  for (const { path, sensitive, change, class: rating, reason } of difference ?? []) {
    const whole = attributeOf(path, expectedState, actualState);
    const key = JSON.stringify(whole);
    const known = merged.get(key) ?? { path: whole, isSensitive: false, causes: [], change };
    known.isSensitive ||= Boolean(sensitive);
    if (reason) known.causes.push({ label: label(path), rating, reason });
    merged.set(key, known);
  }
  return [...merged.values()].map(({ change, causes, ...merged }) => {
    const expected = valueAt(expectedState, merged.path);
    const actual = valueAt(actualState, merged.path);
    causes.sort((one, other) => RATINGS.indexOf(other.rating) - RATINGS.indexOf(one.rating));
    return {
      ...merged,
      label: label(merged.path),
      expected,
      actual,
      type: typeOf(change, expected, actual),
      rating: causes[0]?.rating,
      reason: causes[0]?.reason,
      causes,
    };
  });
}

/** From the least to the most severe. */
const RATINGS = ['ignore', 'volatile', 'info', 'warning', 'critical'];

/** Returns the part of a path that is compared as a whole: up to an array, which is often a set, where an index says
 * little, and up to a text that contains JSON. */
function attributeOf(path, expectedState, actualState) {
  const whole = upToIndex(path);
  for (let length = 1; length < whole.length; length += 1) {
    const part = whole.slice(0, length);
    if ([expectedState, actualState].some((state) => typeof valueAt(state, part) === 'string')) return part;
  }
  return whole;
}

function typeOf(change, expected, actual) {
  if (change === 'reordered') return 'reordered';
  // Both sides are hidden or missing: only the service knows the difference.
  if (expected === actual && change) return change;
  if (isAbsent(expected) && !isAbsent(actual)) return 'added';
  if (!isAbsent(expected) && isAbsent(actual)) return 'removed';
  return 'changed';
}

const isAbsent = (value) => value === undefined || value === null;

function valueAt(state, path) {
  return path.reduce((value, step) => {
    const inside = typeof value === 'string' ? embedded(value) : value;
    return isAbsent(inside) ? undefined : inside[step];
  }, state ?? undefined);
}

/** Returns the object or array that a text contains as JSON, or undefined. */
export function embedded(text) {
  const ends = text.trim();
  if (!/^[{[]/.test(ends) || !/[\]}]$/.test(ends)) return undefined;
  try {
    return JSON.parse(ends, exactly);
  } catch {
    return undefined;
  }
}

/** Returns every attribute of a state as `[label, value]`, with nested objects flattened. */
export function attributes(state, path = []) {
  return Object.entries(state ?? {}).flatMap(([name, value]) => {
    const here = [...path, name];
    const isNested =
      value !== null && typeof value === 'object' && !Array.isArray(value) && Object.keys(value).length > 0;
    return isNested ? attributes(value, here) : [[label(here), value]];
  });
}
