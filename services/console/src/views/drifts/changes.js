// The differences between the expected and the actual state, as lines to read. Pure functions.

export const HIDDEN = '(sensitive value)';

/** Returns `{label, path, type, expected, actual, isSensitive, reason, isCovered}` for each changed path. */
export function changesOf({ difference, expectedState, actualState }) {
  const merged = new Map();
  for (const { path, sensitive, change, class: rating, reason } of difference ?? []) {
    // Arrays are often sets, where an index says little, so each array is compared as a whole.
    const whole = upToIndex(path);
    const key = JSON.stringify(whole);
    const known = merged.get(key);
    const isCovered = rating === 'volatile' || rating === 'ignore';
    merged.set(key, {
      path: whole,
      isSensitive: sensitive || (known?.isSensitive ?? false),
      // The most severe path gives the reason.
      reason: rating === 'critical' ? reason : (known?.reason ?? reason),
      isCovered: isCovered && (known?.isCovered ?? true),
      change,
    });
  }
  return [...merged.values()].map((merged) => {
    const expected = valueAt(expectedState, merged.path);
    const actual = valueAt(actualState, merged.path);
    return { ...merged, label: label(merged.path), expected, actual, type: typeOf(merged.change, expected, actual) };
  });
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

function upToIndex(path) {
  const at = path.findIndex((step) => typeof step === 'number');
  return at < 0 ? path : path.slice(0, at);
}

function valueAt(state, path) {
  return path.reduce((value, step) => {
    const inside = typeof value === 'string' ? embedded(value) : value;
    return isAbsent(inside) ? undefined : inside[step];
  }, state ?? undefined);
}

/** Parses a text that contains JSON: a path may lead into it. */
function embedded(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Formats a path as `tags.owner`, or as `tags["a.b"]` if a name has special characters. */
export function label(path) {
  return path
    .map((step) => (/^[\w-]+$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`))
    .join('')
    .replace(/^\./, '');
}

/** Returns the first changed names, for one line. */
export function changedNames({ difference }, most = 3) {
  const names = [...new Set((difference ?? []).map(({ path }) => label(upToIndex(path))))];
  return names.length > most ? [...names.slice(0, most), `${names.length - most} more`] : names;
}

/** Merges two arrays into `[{sign: '+' | '−' | ' ', item}]`, by content and not by index. */
export function arrayLines(expected, actual) {
  const left = (expected ?? []).map((item) => JSON.stringify(item));
  const rest = (actual ?? []).map((item) => JSON.stringify(item));
  const lines = left.map((text) => {
    const at = rest.indexOf(text);
    if (at < 0) return { sign: '−', text };
    rest.splice(at, 1);
    return { sign: ' ', text };
  });
  return [...lines, ...rest.map((text) => ({ sign: '+', text }))].map(({ sign, text }) => ({
    sign,
    item: JSON.parse(text),
  }));
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
