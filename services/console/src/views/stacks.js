// Stacks: whether each is clean, and since when that is known. One of them has its own page.

import { fill, h } from '../dom.js';
import { setTitle } from '../title.js';
import { acceptDrops } from './drifts/intake.js';
import { showStacks } from './stacks/list.js';
import { showStack } from './stacks/page.js';

export function show(main, found, signal) {
  const place = h('div', {});
  fill(main, place);
  acceptDrops(main, signal);
  let leaving = new AbortController();
  let shown = null;
  let list = null;

  const update = ({ id, query }) => {
    const isSame = shown !== null && shown.id === id;
    shown = { id };
    if (isSame && list) return list(query);
    leaving.abort();
    leaving = new AbortController();
    const visit = AbortSignal.any([leaving.signal, signal]);
    list = null;
    if (id) showStack(place, nameIn(id), visit);
    else {
      setTitle('Stacks');
      list = showStacks(place, query, visit);
    }
    return undefined;
  };
  update(found);
  return (next) => {
    const before = shown.id;
    update(next);
    if (before === next.id) return;
    scrollTo(0, 0);
    main.focus({ preventScroll: true });
  };
}

/** Returns the name in an address. An address that a person typed may be malformed. */
function nameIn(id) {
  try {
    return decodeURIComponent(id);
  } catch {
    return id;
  }
}
