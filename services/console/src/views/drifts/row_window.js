// The rows of a long list. Only the rows near the visible part are in the document: rows that the page does not lay out
// cost it nothing. Rows are in groups; a group far away is replaced by its height.

import { h } from '../../dom.js';

const GROUP = 50;
/** A list of at most this many rows is in the document as a whole, so that the browser's own search finds each row. */
const WHOLE = 200;
/** The rows on paper. The rest of a longer list is in an export. */
export const PRINTED = 1_000;
/** Rows this far from the visible part are in the document. */
const NEAR = '1000px 0px';
/** The changed rows that are drawn in one frame, so that no frame takes long. */
const PER_FRAME = 30;

export class RowWindow {
  #table;
  #newRow;
  #groups = [];
  #items = new Map();
  #drawn = new Set();
  #changed = new Set();
  #isScheduled = false;
  #observer;

  /** `newRow(drift)` returns a row: an object with an `element`. */
  constructor(table, newRow, signal) {
    this.#table = table;
    this.#newRow = newRow;
    const options = { rootMargin: NEAR, scrollMargin: NEAR };
    this.#observer = new IntersectionObserver((entries) => this.#moved(entries), options);
    addEventListener('beforeprint', () => this.#drawForPrint(), { signal });
    addEventListener('afterprint', () => this.#hideFar(), { signal });
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
  rows = () => [...this.#drawn].flatMap(({ items }) => items.map(({ row }) => row));

  /** Adds the row to the document if it is not there, and returns it. */
  drawn(id) {
    const item = this.#items.get(id);
    if (item) this.#draw(item.group);
    return item?.row;
  }

  clear() {
    for (const { element } of this.#groups) {
      this.#observer.unobserve(element);
      element.remove();
    }
    this.#groups = [];
    this.#items.clear();
    this.#drawn.clear();
    this.#changed.clear();
  }

  /**
   * Adds a page of drifts in its order, and updates those that are known. Unknown drifts follow the known ones that they
   * follow in the page. Without such a row, they go to the top if `isFirst`, and else before the first known drift or to
   * the end. Returns the ids of the added drifts.
   */
  merge(drifts, { isFirst }) {
    const known = isFirst ? undefined : drifts.find(({ id }) => this.has(id));
    let place = known ? placeOf(this.#items.get(known.id)) : isFirst ? this.#start() : this.#end();
    const added = [];
    for (const drift of drifts) {
      let item = this.#items.get(drift.id);
      if (item) this.#show(item, drift);
      else {
        item = this.#insert(place, drift);
        added.push(drift.id);
      }
      place = placeOf(item, 1);
    }
    this.#number();
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
    if (!item.row) return;
    this.#changed.add(item);
    if (!this.#isScheduled) this.#drawChanged();
  }

  /** Draws all rows again, after a change of what a row shows. */
  redraw() {
    for (const group of this.#drawn) this.#fill(group);
    const sample = [...this.#drawn].find(({ items }) => items.length > 0);
    const height = sample ? sample.element.offsetHeight / sample.items.length : 0;
    for (const group of this.#groups) if (!group.isDrawn) group.element.style.height = `${height * group.items.length}px`;
    this.#number();
  }

  #drawChanged() {
    for (const item of [...this.#changed].slice(0, PER_FRAME)) {
      this.#changed.delete(item);
      item.row?.change(item.drift);
    }
    this.#isScheduled = this.#changed.size > 0;
    if (this.#isScheduled) requestAnimationFrame(() => this.#drawChanged());
  }

  #show(item, drift) {
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
    const group = { element: h('tbody', { role: 'rowgroup' }), items: [], isDrawn: true, isNear: true };
    group.element.group = group;
    const before = this.#groups[index]?.element ?? null;
    this.#groups.splice(index, 0, group);
    this.#drawn.add(group);
    this.#table.insertBefore(group.element, before);
    this.#observer.observe(group.element);
    return group;
  }

  #removeGroup(group) {
    this.#observer.unobserve(group.element);
    group.element.remove();
    this.#drawn.delete(group);
    this.#groups.splice(this.#groups.indexOf(group), 1);
  }

  #insert({ group, at }, drift) {
    if (group.items.length >= 2 * GROUP) return this.#insert(this.#split(group, at), drift);
    const item = { drift, group, row: null };
    const next = group.items[at];
    group.items.splice(at, 0, item);
    this.#items.set(drift.id, item);
    if (group.isDrawn) {
      item.row = this.#newRow(drift);
      group.element.insertBefore(item.row.element, next?.row.element ?? null);
    } else {
      const { style } = group.element;
      style.height = `${(parseFloat(style.height) / (group.items.length - 1)) * group.items.length}px`;
    }
    return item;
  }

  /** Moves the second half of a group into a new one, and returns where the place is now. */
  #split(group, at) {
    this.#draw(group);
    const focused = document.activeElement;
    const other = this.#newGroup(this.#groups.indexOf(group) + 1);
    other.items = group.items.splice(GROUP);
    for (const item of other.items) {
      item.group = other;
      other.element.append(item.row.element);
    }
    if (other.element.contains(focused)) focused.focus({ preventScroll: true });
    return at > GROUP ? { group: other, at: at - GROUP } : { group, at };
  }

  #moved(entries) {
    for (const { target, isIntersecting, boundingClientRect } of entries) {
      // A list that is not displayed at all has no place.
      if (boundingClientRect.width === 0 && !isIntersecting) continue;
      target.group.isNear = isIntersecting;
      if (isIntersecting) this.#draw(target.group);
    }
    this.#hideFar();
  }

  #draw(group) {
    if (group.isDrawn) return;
    group.isDrawn = true;
    this.#drawn.add(group);
    group.element.classList.remove('is-far');
    group.element.style.height = '';
    this.#fill(group);
    this.#number();
  }

  #fill(group) {
    for (const item of group.items) {
      this.#changed.delete(item);
      item.row = this.#newRow(item.drift);
    }
    group.element.replaceChildren(...group.items.map(({ row }) => row.element));
  }

  /** Takes far rows out of the document, except those with the focus. */
  #hideFar() {
    if (this.#items.size <= WHOLE) return;
    const far = [...this.#drawn].filter(
      ({ isNear, element }) => !isNear && element.offsetHeight > 0 && !element.contains(document.activeElement),
    );
    const heights = far.map(({ element }) => element.offsetHeight);
    for (const [at, group] of far.entries()) {
      group.isDrawn = false;
      this.#drawn.delete(group);
      group.element.classList.add('is-far');
      group.element.style.height = `${heights[at]}px`;
      group.element.replaceChildren();
      for (const item of group.items) item.row = null;
    }
  }

  #drawForPrint() {
    let left = PRINTED;
    for (const group of this.#groups) {
      if (left <= 0) return;
      this.#draw(group);
      left -= group.items.length;
    }
  }

  /** Numbers the rows for screen readers. The head is row 1. */
  #number() {
    let first = 2;
    for (const { items, isDrawn } of this.#groups) {
      if (isDrawn) items.forEach(({ row }, at) => setIndex(row.element, first + at));
      first += items.length;
    }
  }
}

const placeOf = (item, after = 0) => ({ group: item.group, at: item.group.items.indexOf(item) + after });

function setIndex(element, index) {
  if (element.getAttribute('aria-rowindex') !== String(index)) element.setAttribute('aria-rowindex', index);
}
