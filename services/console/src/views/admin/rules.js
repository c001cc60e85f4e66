// The rules of the deployment, and how often each rule has matched.

import { get } from '../../api.js';
import { fill, h } from '../../dom.js';
import { ago, count } from '../../format.js';
import { empty, failed, skeleton } from '../../states.js';
import { table } from './table.js';

export async function showRules(place, signal) {
  fill(place, skeleton(4));
  try {
    const { data } = await get('/api/v1/drifts/rules', {}, { signal });
    if (signal.aborted) return;
    const threshold = h(
      'p',
      { class: 'quiet' },
      `Severity ${data.alertThreshold} or higher raises an alert.`,
    );
    fill(place, threshold, data.rules.length > 0 ? rulesTable(data.rules) : nothing());
  } catch (error) {
    if (!signal.aborted)
      fill(
        place,
        failed(error, () => showRules(place, signal)),
      );
  }
}

const nothing = () =>
  empty('check', 'Built-in rules only', 'Name a file in DRIFT_RULES to add rules. docs/DRIFT.md shows how.');

const rulesTable = (rules) =>
  table('Rules', ['Rule', 'Matches', 'Last match'], h('tbody', {}, rules.map(row)));

const row = ({ rule, matches, lastMatchedAt }) =>
  h(
    'tr',
    {},
    h('td', {}, h('code', { class: 'breakable' }, rule)),
    h('td', {}, matches > 0 ? count(matches) : h('strong', {}, 'matches nothing')),
    h('td', {}, lastMatchedAt ? ago(lastMatchedAt, 'ago') : '–'),
  );
