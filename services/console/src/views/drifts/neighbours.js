// The rows before and after the one that the user looks at.

/** Returns the id of the drift `step` rows after the focused or open row. */
export function neighbour(drifts, openId, step) {
  const ids = drifts.map(({ id }) => id);
  const focused = document.activeElement?.closest?.('tr[data-id]')?.dataset.id;
  const at = ids.indexOf(focused ?? openId);
  if (at < 0) return ids[0];
  return ids[at + step] ?? ids[at];
}

/** Returns the id of the next drift that waits for a decision, after the open row. */
export function nextOpen(drifts, openId) {
  const at = drifts.findIndex(({ id }) => id === openId);
  return drifts.slice(at + 1).find(({ status }) => status === 'detected')?.id;
}
