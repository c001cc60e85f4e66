// Decisions on many drifts at once.

import { post } from '../../api.js';
import { fill, h } from '../../dom.js';
import { count, plural } from '../../format.js';
import { icon } from '../../icons.js';
import * as session from '../../session.js';
import { askReason } from './ask_reason.js';
import { ACTIONS } from './decide.js';
import { deleteDraft } from './drafts.js';
import { DECIDED, decideMatching } from './matching.js';
import { notifyUndoable, reopenAll } from './undo.js';

const MOST = 100;

/** The bar that appears while drifts are selected. */
export function bulkBar(list, facets) {
  const bar = h('div', { class: 'bulk', role: 'region', 'aria-label': 'Selected drifts', hidden: true });
  if (!session.may('engineer')) return bar;
  const number = h('strong', { role: 'status' });
  const buttons = ['approve', 'reject', 'resolve'].map((action) =>
    h(
      'button',
      { class: 'button', on: { click: () => decideMany(list, action) } },
      icon(ACTIONS[action].icon),
      ACTIONS[action].label,
    ),
  );
  const everything = h('button', { class: 'quiet-button', on: { click: () => list.selectAll(true, true) } });
  fill(
    bar,
    h('div', { class: 'bulk-number' }, number, everything),
    buttons,
    h('button', { class: 'quiet-button', on: { click: () => list.selectAll(false) } }, 'Clear'),
  );
  const draw = () => {
    const selected = list.selection.size();
    const hasEverything = list.selection.hasEverything();
    const matching = facets.total('status', list.filters()?.status);
    const isPage = selected > 0 && selected === list.size();
    bar.hidden = selected === 0;
    everything.hidden = !isPage || hasEverything || matching <= selected;
    fill(everything, `Select all ${count(matching)} that match`);
    fill(
      number,
      hasEverything ? `All ${count(matching)} that match selected` : `${plural(selected, 'drift')} selected`,
    );
  };
  list.selection.onChange(draw);
  facets.onChange(draw);
  return bar;
}

/** Asks for one reason and decides on all selected drifts. */
export async function decideMany(list, action) {
  const drifts = list.selected();
  if (drifts.length === 0) return;
  const { label } = ACTIONS[action];
  if (list.selection.hasEverything()) {
    if (await decideMatching(`${label} all that match`, list.filters(), action)) await list.reload();
    return;
  }
  const title = `${label}: ${plural(drifts.length, 'drift')}`;
  let done = [];
  const ids = drifts.map(({ id }) => id);
  const isDone = await askReason(title, { action, label, ids }, async (statement) => {
    done = report(await decideAll(drifts, action, statement), action, list);
  });
  if (!isDone) return;
  list.selectAll(false);
  // Drifts with another status make room for those that still match.
  const { status } = list.filters();
  if (status && !status.split(',').includes(DECIDED[action])) list.remove(done);
}

async function decideAll(drifts, action, statement) {
  const outcomes = [];
  for (let at = 0; at < drifts.length; at += MOST) {
    const ids = drifts.slice(at, at + MOST).map(({ id }) => id);
    const { data } = await post('/api/v1/drifts/bulk', { action, ids, ...statement });
    outcomes.push(...data);
  }
  return outcomes;
}

/** Tells what was decided, and returns the ids of the decided drifts. */
function report(outcomes, action, list) {
  const done = outcomes.filter(({ status }) => status < 300).map(({ id }) => id);
  const refused = outcomes.length - done.length;
  for (const id of done) deleteDraft(id);
  const text = `${ACTIONS[action].done}: ${plural(done.length, 'drift')}.`;
  const others = `${plural(refused, 'drift')} changed in the meantime, and no decision was made on them.`;
  notifyUndoable(refused === 0 ? text : `${text} ${others}`, done.length > 0 && action, async () => {
    const undone = await reopenAll(done, MOST);
    // The drifts return to their places.
    list.reload();
    return undone;
  });
  return done;
}
