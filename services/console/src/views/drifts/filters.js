// The filters of the list. They are in the address, so that a filtered list can be bookmarked and shared.

import { fill, h } from '../../dom.js';
import { atMoment, count, plural } from '../../format.js';
import { KINDS, STATUSES, icon, severityMark } from '../../icons.js';
import { onSummary } from '../../summary.js';
import { ANY, OPEN } from './columns.js';
import { FOLLOW, followFilter, followLabel } from './follow_filter.js';
import { menu } from './menu.js';
import { CAUSE, SORTS, isGrouped, sortOf, withSort } from './query.js';
import { searchBox } from './search.js';

const SEVERITIES = ['critical', 'warning', 'info'];
/** Filters that only links set, and how they are shown. */
const LINKED = {
  group: (value) => `Cause: ${value.slice(value.indexOf('.') + 1)}`,
  detectedFrom: (value) => `Detected since ${atMoment(value)}`,
};
const TEXTS = { stack: 'Stack', region: 'Region', resourceType: 'Type', accountId: 'Account' };

/** Returns the filters. `change(query)` goes to another address, and `beside` follows the filters in their row. */
export function filterBar({ change, facets, signal, beside }) {
  let query = new URLSearchParams();
  const set = (name, value) => {
    const changed = new URLSearchParams(query);
    if (value) changed.set(name, value);
    else changed.delete(name);
    change(changed);
  };
  const statuses = statusTabs(set, facets);
  const severities = severityChips(set, facets);
  const search = searchBox(set);
  const more = moreFilters(set, change, facets, signal);
  const group = groupToggle(() => query, change);
  const sort = h(
    'select',
    {
      class: 'select',
      'aria-label': 'Sort by',
      on: { change: () => change(withSort(query, sort.value)) },
    },
    Object.entries(SORTS).map(([value, label]) => h('option', { value }, label)),
  );
  const byCost = sort.querySelectorAll('[value$="costImpactMonthly"]');
  onSummary(({ hasCosts }) => byCost.forEach((option) => (option.hidden = !hasCosts && !option.selected)), signal);
  const element = h(
    'div',
    { class: 'filters', role: 'search', 'aria-label': 'Filter drifts' },
    statuses.element,
    h('div', { class: 'filter-row' }, search.element, severities.element, more.element, group.element, sort, beside),
    more.active,
  );
  return {
    element,
    show(now) {
      query = now;
      for (const part of [statuses, severities, search, more, group]) part.show(query);
      sort.value = sortOf(query);
      // The groups have their own order.
      sort.hidden = isGrouped(query);
    },
  };
}

/** Returns the button that groups the list by cause. */
function groupToggle(query, change) {
  const toggle = () => {
    const changed = new URLSearchParams(query());
    if (isGrouped(changed)) changed.delete('by');
    else {
      changed.set('by', CAUSE);
      changed.delete('group');
    }
    change(changed);
  };
  const element = h('button', { class: 'chip chip-text', on: { click: toggle } }, 'Group by cause');
  return {
    element,
    show: (now) => element.setAttribute('aria-pressed', String(isGrouped(now))),
  };
}

function statusTabs(set, facets) {
  const entries = [...Object.entries(STATUSES).map(([value, { label }]) => [value, label]), [ANY, 'All']];
  const counts = new Map();
  const buttons = entries.map(([value, label]) => {
    const number = h('span', { class: 'tab-count' });
    counts.set(value, number);
    return h(
      'button',
      { class: 'tab', data: { value }, on: { click: () => set('status', value === OPEN ? '' : value) } },
      label,
      number,
    );
  });
  facets.onChange(() => {
    for (const [value, number] of counts)
      fill(number, count(facets.total('status', value === ANY ? undefined : value)));
  });
  return {
    element: h('div', { class: 'tabs', role: 'group', 'aria-label': 'Status' }, buttons),
    show(query) {
      const chosen = query.get('status') ?? OPEN;
      for (const button of buttons)
        button.setAttribute('aria-pressed', String(button.dataset.value === chosen));
    },
  };
}

function severityChips(set, facets) {
  let chosen = [];
  const toggle = (severity) => {
    const next = chosen.includes(severity)
      ? chosen.filter((other) => other !== severity)
      : [...chosen, severity];
    set('severity', next.length === SEVERITIES.length ? '' : next.join(','));
  };
  const chips = SEVERITIES.map((severity) =>
    h(
      'button',
      {
        class: 'chip',
        data: { severity },
        title: `Only ${severity}`,
        'aria-label': `Only ${severity}`,
        on: { click: () => toggle(severity) },
      },
      severityMark(severity),
      h('span', { class: 'tab-count' }),
    ),
  );
  facets.onChange(() => {
    for (const chip of chips) {
      const number = count(facets.total('severity', chip.dataset.severity));
      chip.setAttribute('aria-label', `Only ${chip.dataset.severity} ${number}`);
      fill(chip.lastChild, number);
    }
  });
  return {
    element: h('div', { class: 'chips', role: 'group', 'aria-label': 'Severity' }, chips),
    show(query) {
      chosen = query.get('severity')?.split(',') ?? [];
      for (const chip of chips)
        chip.setAttribute('aria-pressed', String(chosen.includes(chip.dataset.severity)));
    },
  };
}

function moreFilters(set, change, facets, signal) {
  let shown = new URLSearchParams();
  const inputs = Object.entries(TEXTS).map(([name, label]) => {
    const options = h('datalist', { id: `known-${name}` });
    const input = h('input', {
      id: `filter-${name}`,
      name,
      list: options.id,
      autocomplete: 'off',
      on: { change: () => set(name, input.value.trim()) },
    });
    facets.onChange(() =>
      fill(
        options,
        facets
          .of(name)
          .filter(({ value }) => value)
          .map(({ value, count: number }) => h('option', { value }, plural(number, 'drift'))),
      ),
    );
    return {
      name,
      input,
      field: h('div', { class: 'field' }, h('label', { for: input.id }, label), input, options),
    };
  });
  const kind = h(
    'select',
    { id: 'filter-kind', class: 'select', on: { change: () => set('kind', kind.value) } },
    h('option', { value: '' }, 'Any'),
    Object.entries(KINDS).map(([value, { label }]) => h('option', { value }, label)),
  );
  facets.onChange(() => {
    for (const option of [...kind.options].filter(({ value }) => value))
      fill(option, `${KINDS[option.value].label} (${count(facets.total('kind', option.value))})`);
  });
  const follow = followFilter(change, () => shown);
  const active = h('div', { class: 'active-filters' });
  const element = menu(
    'Filters',
    [
      h('div', { class: 'field' }, h('label', { for: 'filter-kind' }, 'Kind'), kind),
      inputs.map(({ field }) => field),
      follow.field,
    ],
    signal,
  );
  return {
    element,
    active,
    show(query) {
      shown = query;
      follow.show(query);
      kind.value = query.get('kind') ?? '';
      for (const { name, input } of inputs) input.value = query.get(name) ?? '';
      const isShown = ([name]) => [TEXTS, LINKED, FOLLOW].some((filters) => Object.hasOwn(filters, name)) || name === 'kind';
      const set = [...query].filter(isShown);
      fill(
        active,
        set.map(([name, value]) => removable(name, value, query, change)),
      );
      active.hidden = set.length === 0;
    },
  };
}

function removable(name, value, query, change) {
  const remove = () => {
    const changed = new URLSearchParams(query);
    changed.delete(name);
    change(changed);
  };
  const label = Object.hasOwn(FOLLOW, name)
    ? followLabel(name, value)
    : (LINKED[name]?.(value) ?? `${TEXTS[name] ?? 'Kind'}: ${value}`);
  return h(
    'button',
    { class: 'tag', 'aria-label': `Remove the filter ${label}`, on: { click: remove } },
    label,
    icon('close'),
  );
}
