// The selected drifts of the list.

export class Selection {
  #ids = new Set();
  #hasEverything = false;
  #changes = new EventTarget();

  /** Calls `listener` when the selection changes. */
  onChange(listener) {
    this.#changes.addEventListener('change', listener);
  }

  has = (id) => this.#ids.has(id);
  size = () => this.#ids.size;
  ids = () => [...this.#ids];

  /** True if all drifts that match are selected, and not only the loaded ones. */
  hasEverything = () => this.#hasEverything;

  set(ids, hasEverything = false) {
    this.#ids = new Set(ids);
    this.#tell(hasEverything);
  }

  select(id, isOn) {
    if (isOn) this.#ids.add(id);
    else this.#ids.delete(id);
    this.#tell(false);
  }

  #tell(hasEverything) {
    this.#hasEverything = hasEverything;
    this.#changes.dispatchEvent(new Event('change'));
  }
}
