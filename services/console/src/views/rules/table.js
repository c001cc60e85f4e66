// The tables of rules: those of the console, which are edited as a draft, and those of the file.

import { h } from '../../dom.js';
import { ago, count } from '../../format.js';
import { icon, severityMark } from '../../icons.js';
import { table } from '../admin/table.js';
import { THRESHOLDS, textOf } from './words.js';

/** The class of a rule, with the mark of its severity. */
const classView = (name) =>
  h('span', { class: 'rule-class' }, THRESHOLDS.includes(name) ? severityMark(name) : icon('blind'), name);

/** Returns the table of the console's rules. `uses` has the matches by text; `act(name, at)` changes the draft. */
export function consoleTable(rules, uses, act) {
  const row = (rule, at) => {
    const used = uses.get(textOf(rule));
    return h(
      'tr',
      { data: { rule: textOf(rule) } },
      h('td', {}, String(at + 1)),
      h('td', {}, classView(rule.class)),
      h(
        'td',
        {},
        h('code', { class: 'breakable' }, rule.pattern),
        rule.note && h('small', { class: 'quiet' }, rule.note),
      ),
      h('td', {}, rule.stack ? h('code', { class: 'breakable' }, rule.stack) : 'every stack'),
      h('td', {}, usesView(used)),
      h(
        'td',
        { class: 'row-actions' },
        button('up', 'Move up', rule, at === 0, () => act('up', at)),
        button('down', 'Move down', rule, at === rules.length - 1, () => act('down', at)),
        textButton('Edit', rule, () => act('edit', at)),
        textButton('Delete', rule, () => act('delete', at)),
      ),
    );
  };
  return table(
    'Rules of the console',
    ['#', 'Class', 'Pattern', 'Stack', 'Matches', ''],
    h('tbody', {}, rules.map(row)),
  );
}

function button(name, label, rule, isDisabled, click) {
  return h(
    'button',
    {
      class: `icon-button rule-${name}`,
      'aria-label': `${label}: ${textOf(rule)}`,
      title: label,
      disabled: isDisabled,
      data: { act: name },
      on: { click },
    },
    icon('down'),
  );
}

const textButton = (label, rule, click) =>
  h(
    'button',
    {
      class: 'quiet-button',
      'aria-label': `${label}: ${textOf(rule)}`,
      data: { act: label.toLowerCase() },
      on: { click },
    },
    label,
  );

function usesView(used) {
  if (!used) return h('span', { class: 'quiet' }, 'not saved');
  if (used.matches === 0) return h('strong', {}, 'matches nothing');
  return [count(used.matches), h('small', { class: 'quiet' }, 'last ', ago(used.lastMatchedAt, 'ago'))];
}

/** Returns the table of the rules in the file, which cannot be changed here. */
export const fileTable = (rules) =>
  table(
    'Rules of the file',
    ['Rule', 'Matches', 'Last match'],
    h(
      'tbody',
      {},
      rules.map(({ rule, matches, lastMatchedAt }) =>
        h(
          'tr',
          {},
          h('td', {}, h('code', { class: 'breakable' }, rule)),
          h('td', {}, matches > 0 ? count(matches) : h('strong', {}, 'matches nothing')),
          h('td', {}, lastMatchedAt ? ago(lastMatchedAt, 'ago') : '–'),
        ),
      ),
    ),
  );
