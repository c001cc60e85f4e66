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
import { nothingHere } from './nothing.js';
import { Row, tableHead } from './row.js';

const PAGE = 50;
/** Rows beyond this number are dropped when new rows are added at the top. */
const KEPT = 400;
const AGAIN_MS = 700;

export class DriftList {
  #rows = new Map();
  #selected = new Set();
  #filters = null;
  #cursor = null;
  #reading = null;
  #hasEverything = false;
  #unseen = 0;
  #openId = null;
  #again;
  #nearEnd;
  #address;
  #signal;
  #events = new EventTarget();

  constructor({ signal, address }) {
    this.#signal = signal;
    this.#address = address;
    this.#build();
    this.#again = throttled(AGAIN_MS, () => this.#mergeFirstPage(), signal);
    onLive('drift:', (events) => this.#heard(events), signal);
    onLive('resync', this.#again, signal);
    // A slow page gets several entries at once; only the last one says what is visible now.
    this.#nearEnd = new IntersectionObserver((entries) => entries.at(-1).isIntersecting && this.#more(), {
      rootMargin: '400px',
    });
    onSummary(({ hasCosts }) => this.table.classList.toggle('without-costs', !hasCosts), signal);
    onSummary(() => this.#filters && this.#rows.size === 0 && !this.#reading && this.#tidy(), signal);
  }

  #build() {
    this.body = h('tbody', { role: 'rowgroup' });
    this.head = tableHead((isOn) => this.selectAll(isOn));
    this.table = h(
      'table',
      {
        class: session.may('engineer') ? 'drifts' : 'drifts drifts-read-only',
        role: 'table',
        'aria-label': 'Drifts',
      },
      this.head,
      this.body,
    );
    this.place = h('div', { class: 'list-place' });
    this.end = h('div', { class: 'list-end' });
    this.fresh = h('button', { class: 'fresh', hidden: true, on: { click: () => this.#toTop() } });
    this.element = h('div', { class: 'list', tabindex: '-1' }, this.fresh, this.table, this.place, this.end);
    this.element.addEventListener(
      'change',
      ({ target }) => target.name === 'drift' && this.#select(target.value, target.checked),
    );
  }

  /** Shows the drifts that match the filters, from the top. */
  async show(filters) {
    this.element.hidden = false;
    this.#filters = filters;
    this.#reading?.abort();
    this.#clear();
    this.table.hidden = true;
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

  /** Calls `listener` when the selection changes. */
  onSelection(listener) {
    this.#events.addEventListener('selection', listener);
  }

  filters = () => this.#filters;
  size = () => this.#rows.size;

  /** True if all drifts that match are selected, and not only the loaded ones. */
  hasEverything = () => this.#hasEverything;

  selectEverything() {
    this.selectAll(true, true);
  }

  selection = () => [...this.#selected].map((id) => this.#rows.get(id).drift);

  selectAll(isOn, hasEverything = false) {
    for (const row of this.#rows.values()) row.select(isOn);
    this.#selected = new Set(isOn ? this.#rows.keys() : []);
    this.#tellSelection(hasEverything);
  }

  toggle(id) {
    const row = this.#rows.get(id);
    if (!row) return;
    row.select(!this.#selected.has(id));
    this.#select(id, !this.#selected.has(id));
  }

  #select(id, isOn) {
    this.#selected[isOn ? 'add' : 'delete'](id);
    this.#tellSelection(false);
  }

  #tellSelection(hasEverything) {
    this.#hasEverything = hasEverything;
    const all = this.head.querySelector('input');
    const selected = this.#selected.size;
    if (all) all.checked = selected > 0 && selected === this.#rows.size;
    if (all) all.indeterminate = selected > 0 && !all.checked;
    this.#events.dispatchEvent(new Event('selection'));
  }

  drift = (id) => this.#rows.get(id)?.drift;
  hasFocus = () => this.element.contains(document.activeElement);

  /** Shows a drift as it is now. A snoozed one leaves the open drifts. */
  follow(drift) {
    const row = this.#rows.get(drift.id);
    row?.refresh(drift);
    if (!row || !drift.snoozedUntil || this.#filters.snoozed !== 'false') return;
    this.#select(drift.id, false);
    if (this.#rows.delete(drift.id)) row.element.remove();
  }

  markOpen(id) {
    this.#rows.get(this.#openId)?.open(false);
    this.#openId = id;
    this.#rows.get(id)?.open(true);
  }

  focus(id) {
    this.#rows.get(id)?.link.focus({ preventScroll: false });
  }

  /** Returns the id of the row `step` rows after the focused or open row. */
  neighbour(step) {
    const ids = [...this.body.children].map((element) => element.dataset.id);
    const focused = document.activeElement?.closest?.('tr[data-id]')?.dataset.id;
    const at = ids.indexOf(focused ?? this.#openId);
    if (at < 0) return ids[0];
    return ids[at + step] ?? ids[at];
  }

  /** Returns the id of the next row whose drift waits for a decision, after the open row. */
  nextOpen() {
    const drifts = [...this.body.children].map((element) => this.#rows.get(element.dataset.id).drift);
    const at = drifts.findIndex(({ id }) => id === this.#openId);
    return drifts.slice(at + 1).find(({ status }) => status === 'detected')?.id;
  }

  #page(cursor, signal) {
    return get('/api/v1/drifts', { ...this.#filters, limit: PAGE, cursor }, { signal });
  }

  async #read(work) {
    const reading = new AbortController();
    this.#reading = reading;
    const signal = AbortSignal.any([reading.signal, this.#signal]);
    try {
      await work(signal);
    } catch (error) {
      if (!signal.aborted)
        fill(
          this.place,
          failed(error, () => this.show(this.#filters)),
        );
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
    const added = data.filter(({ id }) => !this.#rows.has(id)).map((drift) => this.#row(drift).element);
    this.body.append(...added);
    this.#cursor = page.nextCursor;
    if (this.#hasEverything) this.selectEverything();
  }

  #row(drift) {
    const row = new Row(drift, this.#address);
    this.#rows.set(drift.id, row);
    row.open(drift.id === this.#openId);
    return row;
  }

  #clear() {
    this.#rows.clear();
    this.#selected.clear();
    this.#tellSelection(false);
    this.body.replaceChildren();
    this.#cursor = null;
    this.#unseen = 0;
    this.fresh.hidden = true;
  }

  #tidy() {
    // Observing again reports once more if the end of the list is still visible.
    this.#nearEnd.disconnect();
    this.#nearEnd.observe(this.end);
    this.table.hidden = this.#rows.size === 0;
    const hasFailed = this.place.querySelector('.state-failed');
    if (this.#rows.size === 0 && !hasFailed) fill(this.place, nothingHere(this.#filters, summary()));
    fill(
      this.end,
      this.#rows.size > 0 && !this.#cursor && this.#rows.size > 12
        ? `All ${plural(this.#rows.size, 'drift')} shown.`
        : null,
    );
  }

  #heard(events) {
    if (!this.#filters) return;
    let isOfInterest = false;
    for (const { type, payload } of events.filter((event) => !event.payload.commentId)) {
      const row = this.#rows.get(payload.id);
      if (type === 'drift:created') this.#unseen += row ? 0 : 1;
      if (row) row.change(payload);
      else isOfInterest = true;
    }
    if (!isOfInterest) return;
    // No row moves while the user reads further down or selects drifts.
    if (this.#isAtTop() && this.#selected.size === 0) this.#again();
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
      const isNew = ({ id }) => !this.#rows.has(id);
      const added = data.filter(isNew).length;
      const isGap = this.#rows.size > 0 && data.length > 0 && data.every(isNew) && page.nextCursor !== null;
      if (isGap || this.#rows.size > KEPT) {
        this.#clear();
      }
      if (this.#rows.size === 0) this.#cursor = page.nextCursor;
      let next = this.body.firstChild;
      for (const drift of data) {
        const known = this.#rows.get(drift.id);
        if (known) {
          known.refresh(drift);
          next = known.element.nextSibling;
        } else {
          const row = this.#row(drift);
          row.arrive();
          this.body.insertBefore(row.element, next);
        }
      }
      fill(this.place);
      this.#unseen = 0;
      if (added > 0) say(plural(added, 'new drift'));
    });
  }
}
