// The rows of a long list. Only the rows near the visible part are in the document: rows that are not laid out cost
// nothing. Rows are in groups; the height of a group far away takes the place of its rows. Each frame draws only
// a few rows, so that no frame takes long.

import { h } from '../../dom.js';

const GROUP = 10;
const PER_FRAME = 10;
/** A list of at most this many rows is in the document as a whole, so that the browser's own search finds each row. */
const WHOLE = 200;
/** The rows on paper. The rest of a longer list is in an export. */
export const PRINTED = 1_000;
/** Rows this far from the visible part are in the document. */
const NEAR = '600px 0px';
/** The height of a row, in pixels, until one was measured. */
const USUAL_HEIGHT = 60;

export class RowWindow {
  #table;
  #newRow;
  #groups = [];
  #items = new Map();
  /** The groups whose rows are in the document, or will be as soon as there is time. */
  #open = new Set();
  #unfinished = new Set();
  #changed = new Set();
  #isScheduled = false;
  #rowHeight = USUAL_HEIGHT;
  #observer;

  /** `newRow(drift)` returns a row: an object with an `element`. */
  constructor(table, newRow, signal) {
    this.#table = table;
    this.#newRow = newRow;
    const options = { rootMargin: NEAR, scrollMargin: NEAR };
    this.#observer = new IntersectionObserver((entries) => this.#moved(entries), options);
    addEventListener('beforeprint', () => this.#drawForPrint(), { signal });
    addEventListener('afterprint', () => this.#closeFar(), { signal });
    signal.addEventListener('abort', () => this.clear());
  }

  size = () => this.#items.size;
  has = (id) => this.#items.has(id);
  drift = (id) => this.#items.get(id)?.drift;
  ids = () => [...this.#items.keys()];

  /** Returns all drifts in the order of the list. */
  drifts = () => this.#groups.flatMap(({ items }) => items.map(({ drift }) => drift));

  /** Returns the row if it is in the document. */
  row = (id) => this.#items.get(id)?.row ?? null;

  /** Returns the rows in the document. */
  rows = () => [...this.#open].flatMap(({ items }) => items.map(({ row }) => row)).filter(Boolean);

  /** Adds the row to the document if it is not there, and returns it. */
  drawn(id) {
    const item = this.#items.get(id);
    if (item) this.#drawNow([item.group]);
    return item?.row;
  }

  clear() {
    for (const group of [...this.#groups]) this.#removeGroup(group);
    this.#items.clear();
    this.#changed.clear();
  }

  /**
   * Adds a page of drifts in its order, and updates those that are known. Unknown drifts follow the known ones that they
   * follow in the page. Without such a row, they go to the top if `isFirst`, and else before the first known drift or to
   * the end. Returns the ids of the added drifts, whose rows show that they are new if `areNew`.
   */
  merge(drifts, { isFirst = false, areNew = false }) {
    const known = isFirst ? undefined : drifts.find(({ id }) => this.has(id));
    let place = known ? placeOf(this.#items.get(known.id)) : isFirst ? this.#start() : null;
    const added = [];
    for (const drift of drifts) {
      let item = this.#items.get(drift.id);
      if (item) this.#update(item, drift);
      else {
        item = this.#insert(place ?? this.#end(), { drift, row: null, isNew: areNew });
        added.push(drift.id);
      }
      place &&= placeOf(item, 1);
    }
    if (!this.#isScheduled) this.#work();
    return added;
  }

  remove(ids) {
    for (const id of ids) {
      const item = this.#items.get(id);
      if (!item) continue;
      const { group } = item;
      this.#items.delete(id);
      this.#changed.delete(item);
      item.row?.element.remove();
      group.items.splice(group.items.indexOf(item), 1);
      if (group.items.length === 0) this.#removeGroup(group);
    }
    this.#number();
  }

  /** Updates fields of a drift. Its row follows in one of the next frames. */
  change(id, fields) {
    const item = this.#items.get(id);
    item.drift = { ...item.drift, ...fields };
    if (item.row) this.#changed.add(item);
    this.#schedule();
  }

  /** Draws all rows again, after a change of what a row shows. */
  redraw() {
    const open = this.#groups.filter((group) => this.#open.has(group));
    for (const group of open) {
      for (const item of group.items) item.row = null;
      group.element.replaceChildren();
      this.#unfinished.add(group);
    }
    if (open.length > 0) {
      this.#drawNow(open.slice(0, 1));
      this.#rowHeight = open[0].element.offsetHeight / open[0].items.length || USUAL_HEIGHT;
    }
    for (const group of this.#groups) if (group !== open[0]) this.#setHeight(group, group.items.length * this.#rowHeight);
    this.#schedule();
  }

  #update(item, drift) {
    item.drift = drift;
    this.#changed.delete(item);
    item.row?.refresh(drift);
  }

  #start() {
    if (this.#groups.length === 0) this.#newGroup(0);
    return { group: this.#groups[0], at: 0 };
  }

  #end() {
    const last = this.#groups.at(-1);
    const group = last && last.items.length < GROUP ? last : this.#newGroup(this.#groups.length);
    return { group, at: group.items.length };
  }

  #newGroup(index) {
    const group = { element: h('tbody', { role: 'rowgroup' }), items: [], isNear: index === 0, height: 0 };
    group.element.group = group;
    this.#table.insertBefore(group.element, this.#groups[index]?.element ?? null);
    this.#groups.splice(index, 0, group);
    this.#observer.observe(group.element);
    return group;
  }

  #removeGroup(group) {
    this.#observer.unobserve(group.element);
    group.element.remove();
    for (const groups of [this.#open, this.#unfinished]) groups.delete(group);
    this.#groups.splice(this.#groups.indexOf(group), 1);
  }

  #insert({ group, at }, item) {
    if (group.items.length >= 2 * GROUP) return this.#insert(this.#split(group, at), item);
    item.group = group;
    group.items.splice(at, 0, item);
    this.#items.set(item.drift.id, item);
    if (this.#open.has(group)) this.#unfinished.add(group);
    else this.#setHeight(group, group.height + this.#rowHeight);
    return item;
  }

  /** Moves the second half of a group into a new one, and returns where the place is now. */
  #split(group, at) {
    this.#openGroup(group);
    const focused = document.activeElement;
    const other = this.#newGroup(this.#groups.indexOf(group) + 1);
    other.items = group.items.splice(GROUP);
    for (const item of other.items) item.group = other;
    other.element.append(...other.items.filter(({ row }) => row).map(({ row }) => row.element));
    if (other.element.contains(focused)) focused.focus({ preventScroll: true });
    this.#openGroup(other);
    return at > GROUP ? { group: other, at: at - GROUP } : { group, at };
  }

  #setHeight(group, height) {
    group.height = height;
    group.element.classList.add('is-far');
    group.element.style.height = `${height}px`;
  }

  #moved(entries) {
    for (const { target, isIntersecting, boundingClientRect } of entries) {
      // A list that is not displayed at all has no place.
      if (boundingClientRect.width > 0 || isIntersecting) target.group.isNear = isIntersecting;
    }
    this.#closeFar();
    this.#schedule();
  }

  #schedule() {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    requestAnimationFrame(() => {
      this.#isScheduled = false;
      this.#work();
    });
  }

  /** Draws some of the missing and of the changed rows, and goes on in the next frame. */
  #work() {
    const isWhole = this.#items.size <= WHOLE;
    for (const group of this.#groups) if (isWhole || group.isNear) this.#openGroup(group);
    let left = PER_FRAME;
    for (const group of this.#unfinished) left = this.#draw(group, left);
    for (const item of this.#changed) {
      if (left <= 0) break;
      this.#changed.delete(item);
      item.row?.change(item.drift);
      left -= 1;
    }
    this.#number();
    if (this.#unfinished.size + this.#changed.size > 0) this.#schedule();
  }

  #openGroup(group) {
    if (this.#open.has(group)) return;
    this.#open.add(group);
    this.#unfinished.add(group);
  }

  #drawNow(groups) {
    for (const group of groups) {
      this.#openGroup(group);
      this.#draw(group, Infinity);
    }
    this.#number();
  }

  /** Draws at most `left` missing rows of a group, and returns how many more there may be. */
  #draw(group, left) {
    if (left <= 0) return left;
    group.element.classList.remove('is-far');
    group.element.style.height = '';
    let next = null;
    // From the end, so that the next row is known.
    for (const item of group.items.toReversed()) {
      if (!item.row && left > 0) {
        item.row = this.#newRow(item.drift);
        group.element.insertBefore(item.row.element, next);
        if (item.isNew) item.row.arrive();
        item.isNew = false;
        left -= 1;
      }
      next = item.row?.element ?? next;
    }
    if (group.items.every(({ row }) => row)) this.#unfinished.delete(group);
    return left;
  }

  /** Takes far rows out of the document, except those with the focus. */
  #closeFar() {
    if (this.#items.size <= WHOLE) return;
    const far = [...this.#open].filter(
      ({ isNear, element }) => !isNear && element.offsetHeight > 0 && !element.contains(document.activeElement),
    );
    const heights = far.map(({ element }) => element.offsetHeight);
    for (const [at, group] of far.entries()) {
      for (const groups of [this.#open, this.#unfinished]) groups.delete(group);
      group.element.replaceChildren();
      for (const item of group.items) item.row = null;
      this.#rowHeight = heights[at] / group.items.length;
      this.#setHeight(group, heights[at]);
    }
  }

  #drawForPrint() {
    let left = PRINTED;
    for (const group of this.#groups) {
      if (left <= 0) return;
      this.#drawNow([group]);
      left -= group.items.length;
    }
  }

  /** Numbers the rows for screen readers. The head is row 1. */
  #number() {
    let first = 2;
    for (const group of this.#groups) {
      if (this.#open.has(group)) group.items.forEach(({ row }, at) => setIndex(row?.element, first + at));
      first += group.items.length;
    }
  }
}

const placeOf = (item, after = 0) => ({ group: item.group, at: item.group.items.indexOf(item) + after });

function setIndex(element, index) {
  if (element && element.getAttribute('aria-rowindex') !== String(index)) element.setAttribute('aria-rowindex', index);
}
