// The filters of the list. They are in the address, so that a filtered list can be bookmarked and shared.

import { fill, h } from '../../dom.js';
import { count } from '../../format.js';
import { KINDS, STATUSES, icon, severityMark } from '../../icons.js';
import { onSummary } from '../../summary.js';

const SEVERITIES = ['critical', 'warning', 'info'];
const TEXTS = { stack: 'Stack', region: 'Region', resourceType: 'Type', accountId: 'Account' };
const SORTS = {
  '-detectedAt': 'Newest first',
  detectedAt: 'Oldest first',
  '-severity': 'Most severe first',
  '-costImpactMonthly': 'Highest cost first',
  '-lastSeenAt': 'Last seen first',
};
const OPEN = 'detected';
const ANY = 'any';

/** Returns the query for the API. Without a status in the address, only open drifts are listed. */
export function filtersOf(query) {
  const { status = OPEN, sort, ...others } = Object.fromEntries(query);
  return { ...others, sort: sort ?? '-detectedAt', ...(status !== ANY && { status }) };
}

export function filterBar(change, list, signal) {
  let query = new URLSearchParams();
  const set = (name, value) => {
    const changed = new URLSearchParams(query);
    if (value) changed.set(name, value);
    else changed.delete(name);
    change(changed);
  };
  const statuses = statusTabs(set, signal);
  const severities = severityChips(set);
  const search = searchBox(set);
  const more = moreFilters(set, change, list, signal);
  const sort = h(
    'select',
    {
      class: 'select',
      'aria-label': 'Sort by',
      on: { change: () => set('sort', sort.value === '-detectedAt' ? '' : sort.value) },
    },
    Object.entries(SORTS).map(([value, label]) => h('option', { value }, label)),
  );
  const element = h(
    'div',
    { class: 'filters', role: 'search', 'aria-label': 'Filter drifts' },
    statuses.element,
    h('div', { class: 'filter-row' }, search.element, severities.element, more.element, sort),
    more.active,
  );
  return {
    element,
    show(now) {
      query = now;
      for (const part of [statuses, severities, search, more]) part.show(query);
      const chosen = query.get('sort') ?? '-detectedAt';
      sort.value = chosen in SORTS ? chosen : '-detectedAt';
    },
  };
}

function statusTabs(set, signal) {
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
  onSummary(({ byStatus, total }) => {
    for (const [value, number] of counts) fill(number, count(value === ANY ? total : byStatus[value]));
  }, signal);
  return {
    element: h('div', { class: 'tabs', role: 'group', 'aria-label': 'Status' }, buttons),
    show(query) {
      const chosen = query.get('status') ?? OPEN;
      for (const button of buttons)
        button.setAttribute('aria-pressed', String(button.dataset.value === chosen));
    },
  };
}

function severityChips(set) {
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
    ),
  );
  return {
    element: h('div', { class: 'chips', role: 'group', 'aria-label': 'Severity' }, chips),
    show(query) {
      chosen = query.get('severity')?.split(',') ?? [];
      for (const chip of chips)
        chip.setAttribute('aria-pressed', String(chosen.includes(chip.dataset.severity)));
    },
  };
}

function searchBox(set) {
  let timer = 0;
  const input = h('input', {
    type: 'search',
    class: 'search-input',
    placeholder: 'Search address, id, type',
    'aria-label': 'Search drifts',
    'aria-keyshortcuts': '/',
    maxlength: 100,
    on: {
      input() {
        clearTimeout(timer);
        timer = setTimeout(() => set('q', input.value.trim()), 250);
      },
    },
  });
  return {
    element: h('div', { class: 'search' }, icon('search'), input),
    show(query) {
      if (document.activeElement !== input) input.value = query.get('q') ?? '';
    },
  };
}

function moreFilters(set, change, list, signal) {
  const inputs = Object.entries(TEXTS).map(([name, label]) => {
    const options = h('datalist', { id: `known-${name}` });
    const input = h('input', {
      id: `filter-${name}`,
      name,
      list: options.id,
      autocomplete: 'off',
      on: { change: () => set(name, input.value.trim()) },
    });
    input.addEventListener('focus', () =>
      fill(
        options,
        list.known(name).map((value) => h('option', { value })),
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
  const active = h('div', { class: 'active-filters' });
  const element = h(
    'details',
    { class: 'more' },
    h('summary', { class: 'button' }, 'Filters', icon('down')),
    h(
      'div',
      { class: 'popover' },
      h('div', { class: 'field' }, h('label', { for: 'filter-kind' }, 'Kind'), kind),
      inputs.map(({ field }) => field),
    ),
  );
  // Closes like a menu.
  element.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !element.open) return;
    event.stopPropagation();
    element.open = false;
    element.firstChild.focus();
  });
  element.addEventListener('focusout', ({ relatedTarget }) => {
    if (relatedTarget && !element.contains(relatedTarget)) element.open = false;
  });
  const leave = ({ target }) => {
    if (!element.contains(target)) element.open = false;
  };
  document.addEventListener('pointerdown', leave, { signal });
  return {
    element,
    active,
    show(query) {
      kind.value = query.get('kind') ?? '';
      for (const { name, input } of inputs) input.value = query.get(name) ?? '';
      const set = [...query].filter(([name]) => name === 'kind' || name in TEXTS);
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
  const label = `${TEXTS[name] ?? 'Kind'}: ${value}`;
  return h(
    'button',
    { class: 'tag', 'aria-label': `Remove the filter ${label}`, on: { click: remove } },
    label,
    icon('close'),
  );
}
