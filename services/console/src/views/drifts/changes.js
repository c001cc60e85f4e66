// What differs between the expected and the actual state, as lines to read. Pure.

export const HIDDEN = '(sensitive value)';

/** `[{label, path, type, expected, actual, isSensitive, reason, isCovered}]`, one per changed path. */
export function changesOf({ difference, expectedState, actualState }) {
  const merged = new Map();
  for (const { path, sensitive, change, class: rating, reason } of difference ?? []) {
    // An element's place says little where arrays are sets: their array is compared as a whole.
    const whole = upToIndex(path);
    const key = JSON.stringify(whole);
    const known = merged.get(key);
    const isCovered = rating === 'volatile' || rating === 'ignore';
    merged.set(key, {
      path: whole,
      isSensitive: sensitive || (known?.isSensitive ?? false),
      // The reason of the most severe path.
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
  // Both sides are hidden, or not told: the service knows how they differ.
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

/** A path may lead into a text that holds JSON. */
function embedded(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `tags.owner`, or `tags["a.b"]` where the name is no plain one. */
export function label(path) {
  return path
    .map((step) => (/^[\w-]+$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`))
    .join('')
    .replace(/^\./, '');
}

/** The first names of what changed, for one line. */
export function changedNames({ difference }, most = 3) {
  const names = [...new Set((difference ?? []).map(({ path }) => label(upToIndex(path))))];
  return names.length > most ? [...names.slice(0, most), `${names.length - most} more`] : names;
}

/** Two arrays as one: `[{sign: '+' | '−' | ' ', item}]`, by what is in them and not by place. */
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

/** Every attribute of a state as `[label, value]`, nested ones flattened. */
export function attributes(state, path = []) {
  return Object.entries(state ?? {}).flatMap(([name, value]) => {
    const here = [...path, name];
    const isNested =
      value !== null && typeof value === 'object' && !Array.isArray(value) && Object.keys(value).length > 0;
    return isNested ? attributes(value, here) : [[label(here), value]];
  });
}
