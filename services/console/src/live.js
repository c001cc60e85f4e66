// Passes live events to the views, all events of one animation frame at once. Five thousand events that
// arrive together cost one update per frame, not one per event.

const listeners = new Set();
let waiting = [];
let isScheduled = false;

/** Calls `listener(events)` with the envelopes whose type starts with `prefix`. */
export function onLive(prefix, listener, signal) {
  const entry = { prefix, listener };
  listeners.add(entry);
  signal?.addEventListener('abort', () => listeners.delete(entry));
}

/** The event that says who is deciding. It changes no drift, so listeners to drifts do not get it. */
const DECIDING = 'drift:deciding';

export function deliver(event) {
  waiting.push(event.type === DECIDING ? { ...event, type: 'deciding' } : event);
  if (isScheduled) return;
  isScheduled = true;
  // A hidden tab has no frames.
  if (document.hidden) setTimeout(flush, 250);
  else requestAnimationFrame(flush);
}

function flush() {
  const events = waiting;
  waiting = [];
  isScheduled = false;
  for (const { prefix, listener } of [...listeners]) {
    const fitting = events.filter(({ type }) => type.startsWith(prefix));
    if (fitting.length) listener(fitting);
  }
}

/** Returns a function that runs `work` at most once in `ms`, and once more after its last call. */
export function throttled(ms, work, signal) {
  let timer = 0;
  let last = -Infinity;
  signal?.addEventListener('abort', () => clearTimeout(timer));
  return () => {
    if (timer || signal?.aborted) return;
    timer = setTimeout(
      () => {
        timer = 0;
        last = performance.now();
        work();
      },
      Math.max(0, last + ms - performance.now()),
    );
  };
}
