// A rehearsal: what rules would do to the stored drifts, in words.

import { post } from '../../api.js';
import { fill, h, newId } from '../../dom.js';
import { count, explain, plural } from '../../format.js';
import { icon } from '../../icons.js';
import { RULES, written } from './words.js';

const DAYS = [7, 30, 90];
const USUAL_DAYS = 30;

/** Returns the sentence about the effect of rules, or of one of them. */
export function sentence({ considered, silenced, deletedResources }, days) {
  if (considered === 0) return `Matches no drift of the last ${days} days.`;
  const found = `Would have silenced ${count(silenced)} of ${count(considered)} in ${days} days`;
  if (silenced === 0) return `${found}.`;
  return deletedResources === 0
    ? `${found}, never a deleted resource.`
    : `${found}, ${plural(deletedResources, 'deleted resource')} among them.`;
}

/** Returns the other effects, one text each. */
export function consequences(effect) {
  return [
    [effect.silencedNow, 'Saving resolves $ that is open, approved or rejected.', 'drift'],
    [effect.quieter, '$ would be less severe.', 'drift'],
    [effect.louder, '$ would be more severe.', 'drift'],
    [effect.shownAgain, '$ that the rules in force hide would be shown again with the next scan.', 'drift'],
    [effect.alertsLess, '$ less.', 'alert'],
    [effect.alertsMore, '$ more.', 'alert'],
  ]
    .filter(([number]) => number > 0)
    .map(([number, text, noun]) => {
      const told = text.replace('$', plural(number, noun));
      return number === 1 ? told : told.replace(' that is open', ' that are open');
    });
}

/**
 * Returns an element that rehearses lists of rules, and the function that starts it with a list. `choose(report)` returns
 * the effect that is described: that of all rules, or of one. `done(report)` is called with each report, and with null
 * while there is none.
 */
export function rehearsal({ choose = ({ total }) => total, done = () => {}, signal } = {}) {
  const days = h(
    'select',
    { class: 'select', name: 'days', id: newId('days'), on: { change: () => last && run(last) } },
    DAYS.map((value) => h('option', { value, selected: value === USUAL_DAYS }, `${value} days`)),
  );
  const told = h('div', { class: 'rehearsal-result', role: 'status' });
  let last = null;
  let running = new AbortController();

  async function run(set) {
    last = set;
    running.abort();
    running = new AbortController();
    const current = signal ? AbortSignal.any([running.signal, signal]) : running.signal;
    done(null);
    fill(told, h('p', { class: 'quiet' }, 'Rehearsing with the stored drifts …'));
    const body = {
      rules: set.rules.map(written),
      alertThreshold: set.alertThreshold,
      days: Number(days.value),
    };
    try {
      const { data } = await post(`${RULES}/rehearse`, body, { signal: current });
      if (current.aborted) return;
      fill(told, resultView(data, choose(data)));
      done(data);
    } catch (error) {
      if (current.aborted) return;
      fill(told, h('p', { class: 'form-error' }, explain(error)));
    }
  }

  const element = h(
    'section',
    { class: 'rehearsal', 'aria-label': 'Rehearsal' },
    told,
    h('p', { class: 'rehearsal-days' }, h('label', { for: days.id }, 'Look back'), days),
  );
  return { element, run, stop: () => running.abort() };
}

function resultView(report, effect) {
  const others = consequences(effect);
  return [
    h('p', { class: 'rehearsal-sentence' }, sentence(effect, report.days)),
    others.length > 0 &&
      h(
        'ul',
        { class: 'rehearsal-others' },
        others.map((text) => h('li', {}, text)),
      ),
    report.warnings.map((text) =>
      h('p', { class: 'banner banner-warning' }, icon('trouble'), h('span', {}, `${capital(text)}.`)),
    ),
    report.isCut &&
      h('p', { class: 'quiet' }, `Only the newest ${count(report.total.considered)} drifts were considered.`),
    effect.examples.length > 0 &&
      h(
        'details',
        { class: 'rehearsal-examples' },
        h('summary', {}, plural(effect.examples.length, 'example')),
        h(
          'ul',
          {},
          effect.examples.map(({ id, address, stack }) =>
            h('li', {}, h('a', { href: `#/drifts/${id}` }, address), h('small', {}, ` ${stack}`)),
          ),
        ),
      ),
  ];
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);
