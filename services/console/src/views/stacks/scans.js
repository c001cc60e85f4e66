// The last scans of a stack.

import { get } from '../../api.js';
import { h } from '../../dom.js';
import { ago, count, plural } from '../../format.js';
import { nameOf } from '../../people.js';
import { moreButton, table } from '../admin/table.js';
import { sentence } from './row.js';
import { TOOLS } from './words.js';

const PAGE = 20;
const HEADS = ['Received', 'Tool', 'Result', 'Drifts', 'Sent by', 'Run'];
const COUNTS = ['created', 'changed', 'resolved', 'unchanged', 'ignored', 'skipped'];
const WORDS = { created: 'new' };
const SHORT_COMMIT = 9;

export async function scansOf(stack, signal) {
  const page = (cursor) => get('/api/v1/scans', { stack, limit: PAGE, cursor }, { signal });
  const { data, page: first } = await page();
  if (data.length === 0) return h('p', { class: 'quiet' }, 'No scan is stored.');
  const body = h('tbody', {}, data.map(scanRow));
  return [
    table('Scans', HEADS, body),
    moreButton((scans) => body.append(...scans.map(scanRow)), first.nextCursor, page),
  ];
}

function scanRow(scan) {
  const { receivedAt, takenAt, tool, toolVersion, completeness, reason, sentBy, runUrl, commit } = scan;
  const numbers = COUNTS.filter((name) => scan[name] > 0).map(
    (name) => `${count(scan[name])} ${WORDS[name] ?? name}`,
  );
  return h(
    'tr',
    { data: { scan: scan.id } },
    h(
      'td',
      {},
      ago(receivedAt, 'ago'),
      takenAt && h('small', { class: 'quiet' }, 'taken ', ago(takenAt, 'ago')),
    ),
    h('td', {}, [TOOLS[tool] ?? tool, toolVersion].filter(Boolean).join(' ')),
    h(
      'td',
      {},
      h('span', { class: 'scan-result', data: { completeness } }, sentence(completeness)),
      reason && h('small', { class: 'quiet' }, sentence(reason)),
      warningsOf(scan),
    ),
    h('td', {}, numbers.length > 0 ? numbers.join(', ') : 'none'),
    h('td', {}, sentBy ? nameOf(sentBy) : '–'),
    h('td', {}, runLink(runUrl), commit && h('code', { title: commit }, commit.slice(0, SHORT_COMMIT))),
  );
}

function warningsOf({ warnings }) {
  if (!warnings?.length) return null;
  return h(
    'details',
    { class: 'scan-warnings' },
    h('summary', {}, plural(warnings.length, 'warning')),
    h(
      'ul',
      { class: 'bullets' },
      warnings.map((text) => h('li', {}, text)),
    ),
  );
}

/** Returns the link to the CI run. Only the web is linked to, whatever is stored. */
function runLink(url) {
  if (!/^https?:\/\//.test(url ?? '')) return null;
  return [h('a', { href: url, target: '_blank', rel: 'noopener noreferrer' }, 'CI run'), ' '];
}
