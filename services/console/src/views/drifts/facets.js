// The number of drifts for each value of each filter. A filter's own choice does not change its numbers.

import { get } from '../../api.js';
import { onLive, throttled } from '../../live.js';

export const FACETS = '/api/v1/drifts/facets';
const OFTEN_MS = 1_500;

/** Returns the filters of a list without its order. */
export const selectionOf = ({ sort, ...selection }) => selection;

export class Facets {
  #filters = null;
  #values = {};
  #reading = new AbortController();
  #changes = new EventTarget();
  #signal;

  constructor(signal) {
    this.#signal = signal;
    const again = throttled(OFTEN_MS, () => this.#read(), signal);
    for (const prefix of ['drift:', 'resync']) onLive(prefix, again, signal);
  }

  onChange(listener) {
    this.#changes.addEventListener('change', listener);
  }

  show(filters) {
    this.#filters = filters;
    return this.#read();
  }

  /** Returns the values of a filter, `{value, count}`. */
  of = (name) => this.#values[name] ?? [];

  /** Returns the number of drifts that match, and have one of these values if some are given. */
  total(name, values) {
    const wanted = values?.split(',');
    return this.of(name)
      .filter(({ value }) => !wanted || wanted.includes(value))
      .reduce((sum, { count }) => sum + count, 0);
  }

  async #read() {
    this.#reading.abort();
    this.#reading = new AbortController();
    const signal = AbortSignal.any([this.#reading.signal, this.#signal]);
    try {
      const { data } = await get(FACETS, selectionOf(this.#filters), { signal });
      this.#values = data;
    } catch {
      // The list explains the error. Old numbers would be those of other filters.
      if (signal.aborted) return;
      this.#values = {};
    }
    this.#changes.dispatchEvent(new Event('change'));
  }
}
