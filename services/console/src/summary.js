// The numbers that the navigation and the overview share, read again after events.

import { get } from './api.js';
import { onLive, throttled } from './live.js';

const changes = new EventTarget();
let latest = null;

export const summary = () => latest;

export function onSummary(listener, signal) {
  changes.addEventListener('change', () => listener(latest), { signal });
  if (latest) listener(latest);
}

async function read(signal) {
  try {
    const { data } = await get('/api/v1/metrics/summary', {}, { signal });
    latest = data;
    changes.dispatchEvent(new Event('change'));
  } catch (error) {
    // The next event reads the summary again. A view that has none yet shows the error.
    if (!latest) changes.dispatchEvent(new CustomEvent('failed', { detail: error }));
  }
}

export const onSummaryFailed = (listener, signal) =>
  changes.addEventListener('failed', ({ detail }) => listener(detail), { signal });

let again = () => {};

export const readSummary = () => again();

/** Reads the summary now and after events, until `signal` aborts. */
export function follow(signal) {
  latest = null;
  again = throttled(800, () => read(signal), signal);
  for (const prefix of ['drift:', 'alert:', 'resync']) onLive(prefix, again, signal);
  again();
}
