// Undo: the message after a decision withdraws it for a few seconds. The server allows it for a minute.

import { post } from '../../api.js';
import { explain, plural } from '../../format.js';
import { notify } from '../../notice.js';

const STAY_MS = 10_000;

/** The actions that a person may withdraw. A resolved drift is final. */
export const UNDONE = new Set(['approve', 'reject']);

let latest = null;

/** Shows a message about a decision. `work` withdraws the decision, and returns the message about that. */
export function notifyUndoable(text, action, work) {
  if (!UNDONE.has(action)) return notify(text);
  const undo = { label: 'Undo', keys: 'u', run: () => run(work) };
  const entry = {
    close: notify(text, { action: undo, stayMs: STAY_MS, onClosed: () => forget(entry) }),
    run: undo.run,
  };
  latest = entry;
}

const forget = (entry) => {
  if (latest === entry) latest = null;
};

/** Withdraws the last decision while its message is shown. */
export function undoLast() {
  const entry = latest;
  if (!entry) return;
  entry.close();
  entry.run();
}

async function run(work) {
  try {
    notify(await work(), { tone: 'info' });
  } catch (error) {
    notify(`Not undone. ${explain(error)}`, { tone: 'error' });
  }
}

/** Withdraws the decision that made `drift` what it is. A later change of the drift refuses it. */
export async function reopen({ id, version, address }) {
  await post(`/api/v1/drifts/${id}/reopen`, {}, { headers: { 'if-match': `"v${version}"` } });
  return `Undone: ${address} is open again.`;
}

/** Withdraws the decisions on these drifts, in groups of `most`. */
export async function reopenAll(ids, most) {
  let undone = 0;
  for (let at = 0; at < ids.length; at += most) {
    const { data } = await post('/api/v1/drifts/bulk', { action: 'reopen', ids: ids.slice(at, at + most) });
    undone += data.filter(({ status }) => status < 300).length;
  }
  const left = ids.length - undone;
  return `Undone: ${plural(undone, 'drift')} open again.${left > 0 ? ` ${plural(left, 'drift')} changed in the meantime.` : ''}`;
}
