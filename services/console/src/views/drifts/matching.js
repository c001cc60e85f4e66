// One decision on all drifts that match the filters. The server refuses it if their number is not the one that was
// shown.

import { all, get, post, withQuery } from '../../api.js';
import { fill, h } from '../../dom.js';
import { count, explain, plural } from '../../format.js';
import { STATUSES } from '../../icons.js';
import { notify } from '../../notice.js';
import { askReason } from './ask_reason.js';
import { ACTIONS } from './decide.js';
import { FACETS, selectionOf } from './facets.js';
import { UNDONE, notifyUndoable, reopenAll } from './undo.js';

const MOST = 2_000;
const MOST_OF_BULK = 100;
/** The statuses from which an action leads on. */
const FROM = {
  approve: ['detected'],
  reject: ['detected'],
  resolve: ['detected', 'approved', 'rejected'],
};
/** The status of a drift after an action. */
export const DECIDED = { approve: 'approved', reject: 'rejected', resolve: 'resolved' };

/** Asks for one reason, and decides. Resolves to true if the decision was made. */
export async function decideMatching(title, filters, action) {
  const selection = selectionOf(filters);
  let covered;
  try {
    covered = await coverage(selection, action);
  } catch (error) {
    notify(explain(error), { tone: 'error' });
    return false;
  }
  const hint = hindrance(covered.total);
  if (hint) {
    notify(hint, { tone: 'info' });
    return false;
  }
  const about = h('div', { class: 'coverage' });
  const label = h('span', {});
  const draw = () => {
    fill(about, description(covered));
    fill(label, `${ACTIONS[action].label}: ${plural(covered.total, 'drift')}`);
  };
  draw();
  return askReason(title, { action, parts: about, label }, async (statement) => {
    const body = { action, expectedCount: covered.total, ...statement };
    try {
      const ids = covered.isMixed && UNDONE.has(action) ? await idsOf(selection) : null;
      const { data } = await decide(selection, body);
      report(selection, action, data.decided, ids);
    } catch (error) {
      if (error.status === 409) {
        covered = await coverage(selection, action);
        draw();
      }
      throw error;
    }
  });
}

/** Returns the ids of the drifts that the decision is about to cover. */
async function idsOf(selection) {
  const { items } = await all('/api/v1/drifts', { ...selection, status: 'detected' }, { most: MOST });
  return items.map(({ id }) => id);
}

const decide = (selection, body) => post(withQuery('/api/v1/drifts/decide', selection), body);

/** Returns the numbers of drifts that the decision covers and leaves out, by status. */
async function coverage(selection, action) {
  const { data } = await get(FACETS, selection);
  const wanted = selection.status?.split(',');
  const isCovered = ({ value }) => FROM[action].includes(value) && (!wanted || wanted.includes(value));
  const inside = data.status.filter(isCovered);
  return {
    total: inside.reduce((sum, group) => sum + group.count, 0),
    inside,
    outside: data.status.filter((group) => !isCovered(group)),
    // After the decision, the filters do not tell these drifts from the decided ones.
    isMixed: data.status.some(({ value }) => value === DECIDED[action]),
  };
}

function hindrance(total) {
  if (total === 0) return 'No drift here waits for this decision.';
  if (total > MOST)
    return `${count(total)} drifts match. One decision covers at most ${count(MOST)}: narrow the filters.`;
  return null;
}

const listed = (groups) =>
  groups
    .map(({ value, count: number }) => `${count(number)} ${STATUSES[value].label.toLowerCase()}`)
    .join(', ');

const description = ({ total, inside, outside }) => [
  h('p', {}, h('strong', {}, `Covers ${plural(total, 'drift')}`), `: ${listed(inside)}.`),
  outside.length > 0 && h('p', { class: 'quiet' }, `Leaves out ${listed(outside)}.`),
];

/** Offers to withdraw the decision: by `ids` if they are given, and else by the filters. */
function report(selection, action, decided, ids) {
  const text = `${ACTIONS[action].done}: ${plural(decided, 'drift')}.`;
  notifyUndoable(text, action, async () => {
    if (ids) return reopenAll(ids, MOST_OF_BULK);
    await decide({ ...selection, status: DECIDED[action] }, { action: 'reopen', expectedCount: decided });
    return `Undone: ${plural(decided, 'drift')} open again.`;
  });
}
