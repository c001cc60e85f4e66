// The live list of drifts. New drifts are read from the server as a page, so that its filters and its order
// apply, however many drifts arrive at once. A decided drift changes in its row.

import { get } from '../../api.js';
import { fill, h } from '../../dom.js';
import { plural } from '../../format.js';
import { onLive, throttled } from '../../live.js';
import { say } from '../../notice.js';
import * as session from '../../session.js';
import { failed, skeleton } from '../../states.js';
import { onSummary, summary } from '../../summary.js';
import { neighbour, nextOpen } from './neighbours.js';
import { nothingHere } from './nothing.js';
import { printedNote } from './printed_note.js';
import { Row, tableHead, widthsOf } from './row.js';
import { RowWindow } from './row_window.js';
import { Selection } from './selection.js';

const PAGE = 50;
/** The first page is on the screen early, and the others are fewer requests. */
const NEXT_PAGE = 100;
const AGAIN_MS = 700;
const NEAR_END = '400px 0px';

export class DriftList {
  selection = new Selection();
  #rows;
  #filters = null;
  #cursor = null;
  #reading = null;
  #unseen = 0;
  #openId = null;
  #again;
  #nearEnd;
  #options;
  #signal;
  #shape = { columns: [], density: '' };

  /**
   * `address(id)` is the address of a drift, `setSort(order)` changes the order of the list, and `total()` is the number
   * of drifts that match. `deciders` knows who is deciding.
   */
  constructor({ signal, address, setSort, total, deciders }) {
    this.#signal = signal;
    this.#options = { address, setSort, total, deciders };
    this.#build();
    this.#rows = new RowWindow(this.table, (drift) => this.#newRow(drift), signal);
    deciders.onChange((id) => this.#rows.row(id)?.showDeciders(deciders.on(id)), signal);
    this.#again = throttled(AGAIN_MS, () => this.#mergeFirstPage(), signal);
    onLive('drift:', (events) => this.#heard(events), signal);
    onLive('resync', this.#again, signal);
    // A slow page gets several entries at once; only the last one says what is visible now.
    const visible = (entries) => entries.at(-1).isIntersecting && this.#more();
    this.#nearEnd = new IntersectionObserver(visible, { rootMargin: NEAR_END, scrollMargin: NEAR_END });
    onSummary(() => this.#filters && this.size() === 0 && !this.#reading && this.#tidy(), signal);
  }

  #build() {
    const mayDecide = session.may('engineer');
    this.head = h('thead', {});
    this.table = h(
      'table',
      { class: mayDecide ? 'drifts' : 'drifts drifts-read-only', role: 'table', 'aria-label': 'Drifts' },
      this.head,
    );
    this.place = h('div', { class: 'list-place' });
    this.end = h('div', { class: 'list-end' });
    this.fresh = h('button', { class: 'fresh', hidden: true, on: { click: () => this.#toTop() } });
    const printed = printedNote(() => [this.size(), this.#total()], this.#signal);
    this.element = h('div', { class: 'list', tabindex: '-1' }, this.fresh, this.table, this.place, this.end, printed);
    this.element.addEventListener(
      'change',
      ({ target }) => target.name === 'drift' && this.selection.select(target.value, target.checked),
    );
    this.selection.onChange(() => this.#markSelected());
  }

  /** Shows the drifts that match the filters, from the top. */
  async show(filters) {
    this.element.hidden = false;
    this.#filters = filters;
    this.#reading?.abort();
    this.#clear();
    this.#drawHead();
    // A head that sorted the list keeps the focus.
    this.table.hidden = !this.head.contains(document.activeElement);
    fill(this.place, skeleton(8));
    await this.#read(async (signal) => {
      const page = await this.#page(undefined, signal);
      fill(this.place);
      this.#append(page);
    });
  }

  /** Shows nothing, and reads nothing, until `show`. */
  hide() {
    this.#reading?.abort();
    this.#filters = null;
    this.#clear();
    this.element.hidden = true;
  }

  reload = () => this.#filters && this.show(this.#filters);

  /** Sets the columns and the density, `comfortable` or `compact`. */
  shape(columns, density) {
    if (`${[this.#shape.density, ...this.#shape.columns]}` === `${[density, ...columns]}`) return;
    this.#shape = { columns, density };
    this.table.classList.toggle('is-compact', density === 'compact');
    this.table.style.setProperty('--columns', widthsOf(columns));
    this.#drawHead();
    this.#rows.redraw();
  }

  filters = () => this.#filters;
  size = () => this.#rows.size();
  drift = (id) => this.#rows.drift(id);
  hasFocus = () => this.element.contains(document.activeElement);

  selected = () => this.selection.ids().map((id) => this.drift(id));

  selectAll(isOn, hasEverything = false) {
    this.selection.set(isOn ? this.#rows.ids() : [], hasEverything);
  }

  toggle(id) {
    if (this.#rows.has(id)) this.selection.select(id, !this.selection.has(id));
  }

  #markSelected() {
    for (const row of this.#rows.rows()) row.select(this.selection.has(row.box?.value));
    const all = this.head.querySelector('input');
    const selected = this.selection.size();
    if (all) all.checked = selected > 0 && selected === this.size();
    if (all) all.indeterminate = selected > 0 && !all.checked;
  }

  /** Shows a drift as it is now. A snoozed one leaves the open drifts. */
  follow(drift) {
    if (!this.#rows.has(drift.id)) return;
    this.#rows.change(drift.id, drift);
    if (drift.snoozedUntil && this.#filters.snoozed === 'false') this.remove([drift.id]);
  }

  markOpen(id) {
    this.#rows.row(this.#openId)?.open(false);
    this.#openId = id;
    this.#rows.row(id)?.open(true);
  }

  focus = (id) => this.#rows.drawn(id)?.link.focus();

  /** Takes drifts out of the list. The following ones take their places, and further ones are read where they end. */
  remove(ids) {
    const leaving = new Set(ids);
    const drifts = this.#rows.drifts();
    const first = drifts.findIndex(({ id }) => leaving.has(id));
    const next = drifts.slice(first).find(({ id }) => !leaving.has(id));
    this.#rows.remove(ids);
    this.selection.set(this.selection.ids().filter((id) => !leaving.has(id)));
    if (document.activeElement === document.body) this.focus(next?.id);
    if (!this.#reading) this.#tidy();
  }

  neighbour = (step) => neighbour(this.#rows.drifts(), this.#openId, step);
  nextOpen = () => nextOpen(this.#rows.drifts(), this.#openId);

  #page(cursor, signal) {
    return get('/api/v1/drifts', { ...this.#filters, limit: cursor ? NEXT_PAGE : PAGE, cursor }, { signal });
  }

  async #read(work) {
    const reading = new AbortController();
    this.#reading = reading;
    const signal = AbortSignal.any([reading.signal, this.#signal]);
    try {
      await work(signal);
    } catch (error) {
      if (!signal.aborted) fill(this.place, failed(error, this.reload));
    } finally {
      if (this.#reading === reading) this.#reading = null;
    }
    if (!signal.aborted) this.#tidy();
  }

  #more() {
    if (!this.#cursor || this.#reading) return;
    this.#read(async (signal) => this.#append(await this.#page(this.#cursor, signal)));
  }

  #append({ data, page }) {
    this.#rows.merge(data, {});
    this.#cursor = page.nextCursor;
    if (this.selection.hasEverything()) this.selectAll(true, true);
  }

  #newRow(drift) {
    const row = new Row(drift, { ...this.#options, ...this.#shape });
    row.open(drift.id === this.#openId);
    row.select(this.selection.has(drift.id));
    row.showDeciders(this.#options.deciders.on(drift.id));
    return row;
  }

  #clear() {
    this.#rows.clear();
    this.selection.set([]);
    this.#cursor = null;
    this.#unseen = 0;
    this.fresh.hidden = true;
  }

  #drawHead() {
    const head = tableHead({
      ...this.#shape,
      sort: this.#filters?.sort,
      setSort: this.#options.setSort,
      selectAll: (isOn) => this.selectAll(isOn),
    });
    const focused = this.head.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    this.head.replaceWith(head);
    this.head = head;
    if (focused) head.querySelector(`[data-key="${focused}"]`)?.focus({ preventScroll: true });
    this.#markSelected();
  }

  /** Returns the number of drifts that match: only the server knows it before all of them are loaded. */
  #total = () => (this.#cursor ? Math.max(this.#options.total(), this.size()) : this.size());

  /** Tells screen readers the number of rows, with the head. */
  tellTotal() {
    this.table.setAttribute('aria-rowcount', this.#total() + 1);
  }

  #tidy() {
    // Observing again reports once more if the end of the list is still visible.
    this.#nearEnd.disconnect();
    this.#nearEnd.observe(this.end);
    const size = this.size();
    this.table.hidden = size === 0;
    const hasFailed = this.place.querySelector('.state-failed');
    if (size === 0 && !hasFailed)
      fill(this.place, this.#cursor ? skeleton(8) : nothingHere(this.#filters, summary()));
    else if (!hasFailed) fill(this.place);
    fill(this.end, size > 12 && !this.#cursor ? `All ${plural(size, 'drift')} shown.` : null);
    this.tellTotal();
  }

  #heard(events) {
    if (!this.#filters) return;
    let isOfInterest = false;
    // A comment changes nothing in a row.
    for (const { type, payload } of events.filter((event) => !event.payload.commentId)) {
      const isShown = this.#rows.has(payload.id);
      if (type === 'drift:created') this.#unseen += isShown ? 0 : 1;
      if (isShown) this.#rows.change(payload.id, payload);
      else isOfInterest = true;
    }
    if (!isOfInterest) return;
    // No row moves while the user reads further down or selects drifts.
    if (this.#isAtTop() && this.selection.size() === 0) this.#again();
    else if (this.#unseen > 0) {
      this.fresh.hidden = false;
      fill(this.fresh, `${plural(this.#unseen, 'new drift')} · show`);
    }
  }

  #isAtTop = () => this.element.scrollTop < 80 && scrollY < 120;

  #toTop() {
    this.element.scrollTop = 0;
    scrollTo({ top: 0 });
    this.fresh.hidden = true;
    this.#mergeFirstPage();
  }

  /** Reads the first page again and inserts the new rows at their position. No other row moves. */
  #mergeFirstPage() {
    if (!this.#filters) return undefined;
    if (this.#reading) return this.#again();
    return this.#read(async (signal) => {
      const { data, page } = await this.#page(undefined, signal);
      const isGap = this.size() > 0 && data.length > 0 && page.nextCursor && !data.some(({ id }) => this.#rows.has(id));
      if (isGap) this.#clear();
      fill(this.place);
      // New drifts may be behind the first page, so the next pages are read again where the list ends.
      this.#cursor ??= page.nextCursor;
      const added = this.#rows.merge(data, { isFirst: true, areNew: true });
      this.#unseen = 0;
      if (added.length > 0) say(plural(added.length, 'new drift'));
    });
  }
}
