// The versions of the console's rules: who saved what, and a way back.

import { get } from '../../api.js';
import { h } from '../../dom.js';
import { exactTime, plural } from '../../format.js';
import { notify } from '../../notice.js';
import { nameOf } from '../../people.js';
import * as session from '../../session.js';
import { moreButton, table } from '../admin/table.js';
import { changedRules } from './changes.js';
import { restoreRules, reviewRules } from './save.js';
import { RULES } from './words.js';

/** Returns the list of versions, or null if there is none. `current` is the version in force, with its rules. */
export async function versionsView(current, signal, restored) {
  const page = (cursor) => get(`${RULES}/versions`, { limit: 20, cursor }, { signal });
  const first = await page();
  if (first.data.length === 0) return null;
  const row = (version) => versionRow(version, current, restored);
  const body = h('tbody', {}, first.data.map(row));
  const append = (versions) => body.append(...versions.map(row));
  return [
    table('Versions', ['Version', 'When', 'Who', 'What changed', ''], body),
    moreButton(append, first.page.nextCursor, page),
  ];
}

function versionRow(version, current, restored) {
  const isCurrent = version.version === current.version;
  const restore = () => restoreVersion(version, current).then((done) => done && restored());
  return h(
    'tr',
    { data: { version: version.version } },
    h('td', {}, h('strong', {}, `v${version.version}`), isCurrent && h('small', {}, 'in force')),
    h('td', {}, exactTime(version.at)),
    h('td', {}, nameOf(version.by)),
    h('td', {}, changesOf(version)),
    h(
      'td',
      { class: 'row-actions' },
      !isCurrent &&
        session.may('admin') &&
        h(
          'button',
          {
            class: 'quiet-button',
            'aria-label': `Restore version ${version.version}`,
            on: { click: restore },
          },
          'Restore',
        ),
    ),
  );
}

function changesOf({ added, removed, restoredFrom, note, rules, alertThreshold }) {
  return [
    restoredFrom !== null && h('p', {}, `Restores version ${restoredFrom}.`),
    note && h('p', {}, `"${note}"`),
    changedRules(added, removed),
    h(
      'small',
      { class: 'quiet' },
      `${plural(rules.length, 'rule')}${alertThreshold ? `, alerts from ${alertThreshold}` : ''}`,
    ),
  ];
}

function restoreVersion({ version, rules, alertThreshold }, current) {
  return reviewRules(`Restore version ${version}?`, {
    before: current,
    after: { rules, alertThreshold },
    version: current.version,
    action: 'Restore',
    hasNote: false,
    send: async () => {
      const saved = await restoreRules(version, current.version);
      notify(`Version ${saved.version} has the rules of version ${version}.`);
    },
  });
}
