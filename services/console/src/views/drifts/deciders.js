// The people who are deciding on a drift at the moment. They hinder no decision.

import { put, remove } from '../../api.js';
import { fill } from '../../dom.js';
import { icon } from '../../icons.js';
import { onLive } from '../../live.js';
import { nameOf } from '../../people.js';
import * as session from '../../session.js';
import { connection } from '../../socket.js';

/** The server forgets a person this long after their last announcement. */
const LASTS_MS = 30_000;
const AGAIN_MS = 15_000;
/** A decision on many drifts is announced on the first of them. */
const MOST = 20;

const pathOf = (id) => `/api/v1/drifts/${id}/deciding`;

/** The other people who are deciding, by drift. */
export class Deciders {
  #people = new Map();
  /** The times of the last ends, by drift and person. */
  #ended = new Map();
  #changes = new EventTarget();
  #timer = 0;

  constructor(signal) {
    const heard = (events) => {
      for (const { payload, timestamp } of events) this.#hear(payload.id, payload, new Date(timestamp).getTime());
    };
    onLive('deciding', heard, signal);
    signal.addEventListener('abort', () => clearTimeout(this.#timer));
  }

  /** Calls `listener(id)` when other people decide on a drift, or no longer do. */
  onChange(listener, signal) {
    this.#changes.addEventListener('change', ({ detail }) => listener(detail), { signal });
  }

  /** Returns the ids of the people who are deciding on a drift, without the user. */
  on = (id) => [...(this.#people.get(id)?.keys() ?? [])];

  /** Takes over who is deciding from the drift as the server returned it, perhaps before an end that is already known. */
  learn({ id, deciding }) {
    for (const person of deciding ?? []) {
      const announced = new Date(person.until).getTime() - LASTS_MS;
      if (announced > (this.#ended.get(`${id} ${person.by}`) ?? 0)) this.#hear(id, person, Date.now());
    }
  }

  /** `now` is the time of the server if it is known: the clock of this device may be wrong. */
  #hear(id, { by, until }, now) {
    if (by === session.user()?.id) return;
    if (!until) this.#ended.set(`${id} ${by}`, now);
    const people = this.#people.get(id) ?? new Map();
    const left = until ? Math.min(LASTS_MS, new Date(until).getTime() - now) : 0;
    if (left > 0) people.set(by, performance.now() + left);
    else people.delete(by);
    if (people.size > 0) this.#people.set(id, people);
    else this.#people.delete(id);
    this.#tell(id);
    this.#wait();
  }

  #tell(id) {
    this.#changes.dispatchEvent(new CustomEvent('change', { detail: id }));
  }

  /** Ends entries whose time is over, and waits for the next one. */
  #wait() {
    clearTimeout(this.#timer);
    const now = performance.now();
    let next = Infinity;
    for (const [id, people] of [...this.#people]) {
      const before = people.size;
      for (const [by, until] of people) {
        if (until <= now) people.delete(by);
        else next = Math.min(next, until);
      }
      if (people.size === 0) this.#people.delete(id);
      if (people.size < before) this.#tell(id);
    }
    if (next < Infinity) this.#timer = setTimeout(() => this.#wait(), next - now + 1);
  }
}

/** Shows in `element` who is deciding. */
export function showDeciders(element, people) {
  element.hidden = people.length === 0;
  const names = people.map((by, at) => [at > 0 && ', ', nameOf(by)]);
  fill(element, people.length > 0 && [icon('pencil'), names, people.length > 1 ? ' are deciding' : ' is deciding']);
}

/** Announces that the user is deciding on drifts, until `signal` aborts or `end` is called. */
export class Announcement {
  #ids;
  #timer = 0;
  #sent = Promise.resolve();

  constructor(ids, signal) {
    this.#ids = ids.slice(0, MOST);
    signal?.addEventListener('abort', () => this.end());
  }

  begin() {
    if (this.#timer) return;
    this.#timer = setInterval(() => connection().name === 'live' && this.#announce(), AGAIN_MS);
    this.#announce();
  }

  end() {
    if (!this.#timer) return;
    clearInterval(this.#timer);
    this.#timer = 0;
    this.#send(remove);
  }

  #announce() {
    this.#send(put);
  }

  /** One after the other: an announcement that arrived after the end would hold for half a minute. */
  #send(request) {
    const all = () => Promise.all(this.#ids.map((id) => request(pathOf(id))));
    // Others only know less if this fails.
    this.#sent = this.#sent.then(all).catch(() => {});
  }
}
