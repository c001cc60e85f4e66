// The paths of changes as text. Pure functions.

/** Returns the part of a path above the first array. */
export function upToIndex(path) {
  const at = path.findIndex((step) => typeof step === 'number');
  return at < 0 ? path : path.slice(0, at);
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
