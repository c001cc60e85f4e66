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
  {
    pattern: /^\/admin(?:\/(\w+)(?:\/([\w-]+))?)?$/,
    name: 'admin',
    title: 'Admin',
    load: () => import('./views/admin.js'),
  },
];
const HOME = '/overview';

const linkPage = () => import('./views/public/link_page.js');
/** The pages that also work without a session. Links in mails lead to most of them. */
const PUBLIC = {
  'confirm-sign-up': linkPage,
  'reset-password': linkPage,
  'verify-email': linkPage,
  'confirm-email': linkPage,
  'undo-email': linkPage,
  invitation: linkPage,
  'log-in': linkPage,
  'forgot-password': () => import('./views/public/forgot_password.js'),
  'dev-mail': () => import('./views/public/dev_mail.js'),
};

/** Returns `{name, load, token}` of the address, or null if it is no public page. Removes the token of the link from
 * the address, so that no history keeps it. */
export function publicPage() {
  const [, name, query = ''] = /^#\/([\w-]+)(?:\?(.*))?$/.exec(location.hash) ?? [];
  if (!Object.hasOwn(PUBLIC, name ?? '')) return null;
  const token = new URLSearchParams(query).get('token');
  if (query) history.replaceState(null, '', `#/${name}`);
  return { name, token, load: PUBLIC[name] };
}

/** Returns `{name, title, load, id, part, query}` of the address, or null if no view has it. */
export function here() {
  const [path, query = ''] = location.hash.slice(1).split('?');
  for (const { pattern, ...route } of ROUTES) {
    const match = pattern.exec(path);
    if (match)
      return { ...route, id: match[1] ?? null, part: match[2] ?? null, query: new URLSearchParams(query) };
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
