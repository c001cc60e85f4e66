// The list of stacks, worst first, live. The filters are in the address.

import { all } from '../../api.js';
import { go } from '../../address.js';
import { fill, h } from '../../dom.js';
import { icon } from '../../icons.js';
import { livePlace } from '../../live_place.js';
import * as session from '../../session.js';
import { empty } from '../../states.js';
import { openUpload } from '../drifts/intake.js';
import { table } from '../admin/table.js';
import { HEADS, stackRow } from './row.js';
import { STACKS, STACK_STATUSES } from './words.js';

const PAGE = 100;
const OFTEN_MS = 1_000;
const PAUSE_MS = 250;
/** A label that is typed only in part is no filter yet. */
const LABEL = /^[^=]+=.+$/;
const NAMES = ['status', 'q', 'owner', 'label'];

/** Shows the stacks, and returns the function that shows them for another query. */
export function showStacks(place, found, signal) {
  let query = found;
  let reading = new AbortController();
  const content = h('div', {});
  const set = (name, value) => {
    const changed = new URLSearchParams(query);
    if (value) changed.set(name, value);
    else changed.delete(name);
    go('/stacks', changed, { replace: true });
  };
  const tabs = [['', 'All'], ...Object.entries(STACK_STATUSES).map(([name, { label }]) => [name, label])].map(
    ([value, label]) =>
      h('button', { class: 'tab', data: { value }, on: { click: () => set('status', value) } }, label),
  );
  const fields = [
    textFilter('q', 'Search stacks', 'Part of the name', 100, set),
    textFilter('owner', 'Owner', 'Owner, in full', 255, set),
    textFilter('label', 'Label', 'Label, as key=value', 127, set, LABEL),
  ];
  fill(
    place,
    h(
      'header',
      { class: 'view-head' },
      h('h1', {}, 'Stacks'),
      session.may('engineer') && h('div', { class: 'view-actions' }, uploadButton()),
    ),
    h(
      'div',
      { class: 'filters', role: 'search', 'aria-label': 'Filter stacks' },
      h('div', { class: 'tabs', role: 'group', 'aria-label': 'Status' }, tabs),
      h('div', { class: 'filter-row' }, fields.map(({ element }) => element)),
    ),
    content,
  );

  function read(now) {
    query = now;
    reading.abort();
    reading = new AbortController();
    for (const tab of tabs)
      tab.setAttribute('aria-pressed', String(tab.dataset.value === (query.get('status') ?? '')));
    for (const { show } of fields) show(query);
    const filters = Object.fromEntries(NAMES.map((name) => [name, query.get(name)]));
    fill(content, stacks(filters, AbortSignal.any([reading.signal, signal])));
  }
  read(query);
  return read;
}

function stacks(filters, signal) {
  let wanted = PAGE;
  const work = async (again) => {
    const { items, isComplete } = await all(STACKS, filters, { most: wanted, signal });
    if (items.length === 0) return Object.values(filters).some(Boolean) ? noMatch() : noStack();
    const readMore = () => {
      wanted += PAGE;
      return again();
    };
    return [
      table('Stacks', HEADS, h('tbody', {}, items.map(stackRow))),
      !isComplete && h('button', { class: 'button', on: { click: readMore } }, 'More'),
    ];
  };
  return livePlace(['stack:', 'scan:', 'drift:'], OFTEN_MS, signal, work, { rows: 6 }).place;
}

function textFilter(name, label, placeholder, maxlength, set, complete = /^/) {
  let timer = 0;
  const send = () => {
    const value = input.value.trim();
    if (!value || complete.test(value)) set(name, value);
  };
  const input = h('input', {
    type: 'search',
    class: name === 'q' ? 'search-input' : null,
    name,
    placeholder,
    maxlength,
    'aria-label': label,
    autocomplete: 'off',
    on: {
      input() {
        clearTimeout(timer);
        timer = setTimeout(send, PAUSE_MS);
      },
    },
  });
  return {
    element:
      name === 'q'
        ? h('div', { class: 'search' }, icon('search'), input)
        : h('div', { class: 'stack-filter' }, input),
    show(query) {
      if (document.activeElement !== input) input.value = query.get(name) ?? '';
    },
  };
}

const noMatch = () =>
  empty(
    'search',
    'No match',
    'No stack matches these filters.',
    h('a', { class: 'button', href: '#/stacks' }, 'Clear the filters'),
  );

const uploadButton = () =>
  h('button', { class: 'button', on: { click: () => openUpload() } }, icon('upload'), 'Upload plan');

function noStack() {
  if (!session.may('engineer')) {
    return empty('stacks', 'No stack yet', 'A stack appears here as soon as an engineer sends its first scan.');
  }
  return empty(
    'stacks',
    'No stack yet',
    'A stack appears here with its first scan. Upload a plan, or let a job in CI send one after each run, so that this page shows since when each stack is clean.',
    uploadButton(),
    h(
      'pre',
      { class: 'snippet', tabindex: '0', 'aria-label': 'The step for CI' },
      'terraform plan -refresh-only -out=plan\nterraform show -json plan > plan.json\ndriftsentry ingest --stack prod --complete plan.json',
    ),
  );
}
