// Drifts: filters, the live list, and next to it the open drift.

import { fill, h } from '../dom.js';
import { icon } from '../icons.js';
import * as session from '../session.js';
import { bulkBar } from './drifts/bulk.js';
import { CauseList } from './drifts/causes.js';
import { showDetail } from './drifts/detail.js';
import { exportMenu } from './drifts/export.js';
import { columnsOf } from './drifts/columns.js';
import { columnsMenu, density } from './drifts/columns_menu.js';
import { Deciders } from './drifts/deciders.js';
import { Facets } from './drifts/facets.js';
import { filterBar } from './drifts/filters.js';
import { followKeys } from './drifts/keys.js';
import { DriftList } from './drifts/list.js';
import { acceptDrops, openUpload } from './drifts/intake.js';
import { filtersOf, isGrouped, withSort } from './drifts/query.js';
import { viewsMenu } from './drifts/views.js';
import { address, go } from '../address.js';
import { onSummary } from '../summary.js';
import { setTitle } from '../title.js';

export function show(main, found, signal) {
  let query = found.query;
  let openId = null;
  let hasCosts = false;
  let leaving = new AbortController();
  const detail = h('section', { class: 'detail', 'aria-label': 'Drift', tabindex: '-1', hidden: true });
  const facets = new Facets(signal);
  const deciders = new Deciders(signal);
  const list = new DriftList({
    signal,
    deciders,
    address: (id) => `#/drifts/${id}${query.size ? `?${query}` : ''}`,
    setSort: (sort) => change(withSort(query, sort)),
    total: () => facets.total('status', list.filters()?.status),
  });
  facets.onChange(() => list.tellTotal());
  const causes = new CauseList({ signal, address: membersOf });
  const bar = bulkBar(list, facets);
  const columns = columnsMenu({ change, redraw: shape, signal });
  const filters = filterBar({ change, facets, signal, beside: [columns.element, viewsMenu(() => query, signal)] });

  const exportButton = exportMenu(
    '/api/v1/drifts/export',
    ['csv', 'json', 'sarif'],
    () => filtersOf(query),
    signal,
  );
  fill(
    main,
    h(
      'div',
      { class: 'list-pane' },
      h(
        'header',
        { class: 'view-head' },
        h('h1', {}, 'Drifts'),
        h('div', { class: 'view-actions' }, exportButton, uploadButton()),
      ),
      filters.element,
      list.element,
      causes.element,
      bar,
    ),
    detail,
  );
  onSummary((summary) => {
    if (summary.hasCosts === hasCosts) return;
    // Without any known cost, the list has no column for it.
    hasCosts = summary.hasCosts;
    shape();
  }, signal);
  acceptDrops(main, signal);
  followKeys({ list, detail, close, signal });

  function change(changed) {
    go(openId ? `/drifts/${openId}` : '/drifts', changed, { replace: true });
  }

  function shape() {
    list.shape(
      columnsOf(query).filter((name) => name !== 'cost' || hasCosts),
      density(),
    );
  }

  /** Returns the address of the drifts of a group. */
  function membersOf(group) {
    const changed = new URLSearchParams(query);
    changed.delete('by');
    changed.set('group', group);
    return address('/drifts', changed);
  }

  /** Shows the drifts, or the groups, that match the query. */
  function read() {
    const selected = filtersOf(query);
    filters.show(query);
    columns.show(query);
    columns.element.hidden = isGrouped(query);
    shape();
    facets.show(selected);
    if (isGrouped(query)) {
      list.hide();
      causes.show(selected);
    } else {
      causes.hide();
      list.show(selected);
    }
  }

  function close() {
    go('/drifts', query);
  }

  function open(id) {
    const wasOpen = openId;
    leaving.abort();
    leaving = new AbortController();
    openId = id;
    detail.hidden = !id;
    main.classList.toggle('has-detail', Boolean(id));
    list.markOpen(id);
    setTitle(id && list.drift(id)?.address, 'Drifts');
    if (id) {
      showDetail(detail, id, {
        close,
        next: openNext,
        known: list.drift(id),
        follow: (drift) => list.follow(drift),
        deciders,
        signal: AbortSignal.any([leaving.signal, signal]),
      });
      detail.scrollTop = 0;
      if (!list.hasFocus() || matchMedia('(max-width: 60rem)').matches) detail.focus({ preventScroll: true });
    } else if (wasOpen) {
      list.focus(wasOpen);
    }
  }

  /** Opens the next drift that waits for a decision, if there is one. */
  function openNext() {
    const id = list.nextOpen();
    if (id) go(`/drifts/${id}`, query);
  }

  function update({ id, query: now }) {
    if (now.toString() !== query.toString()) {
      query = now;
      read();
    }
    if (id !== openId) open(id);
  }

  read();
  open(found.id);
  return update;
}

function uploadButton() {
  if (session.may('engineer')) {
    return h('button', { class: 'button', on: { click: () => openUpload() } }, icon('upload'), 'Upload plan');
  }
  return null;
}
