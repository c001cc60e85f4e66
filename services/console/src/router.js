// Views by address. The address is in the fragment, so that any static server can serve the page.

import { go } from './address.js';

const ROUTES = [
  { pattern: /^\/overview$/, name: 'overview', title: 'Overview', load: () => import('./views/overview.js') },
  {
    pattern: /^\/drifts(?:\/([\w-]+))?$/,
    name: 'drifts',
    title: 'Drifts',
    load: () => import('./views/drifts.js'),
  },
  { pattern: /^\/alerts$/, name: 'alerts', title: 'Alerts', load: () => import('./views/alerts.js') },
  { pattern: /^\/account$/, name: 'account', title: 'Account', load: () => import('./views/account.js') },
  { pattern: /^\/admin(?:\/(\w+))?$/, name: 'admin', title: 'Admin', load: () => import('./views/admin.js') },
];
const HOME = '/overview';

/** Returns `{name, title, load, id, query}` of the address, or null if no view has it. */
export function here() {
  const [path, query = ''] = location.hash.slice(1).split('?');
  for (const { pattern, ...route } of ROUTES) {
    const match = pattern.exec(path);
    if (match) return { ...route, id: match[1] ?? null, query: new URLSearchParams(query) };
  }
  return null;
}

/** Calls `arrive(route)` now and whenever the address changes; unknown addresses lead to the overview. */
export function route(arrive, signal) {
  const changed = () => {
    const found = here();
    if (found) arrive(found);
    else go(HOME, undefined, { replace: true });
  };
  addEventListener('hashchange', changed, { signal });
  changed();
}
