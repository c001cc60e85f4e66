// Views by address. The address is in the fragment, so that any static server can serve the page.

import { go } from './address.js';
import { needStyles } from './styles.js';

/** Loads a view and its style sheets at once. */
const view =
  (load, ...styles) =>
  async () =>
    (await Promise.all([load(), needStyles(...styles)]))[0];

const DRIFT_STYLES = [
  'drift_list',
  'drift_columns',
  'drift_search',
  'drift_filters',
  'drift_bulk',
  'drift_causes',
  'drift_detail',
  'drift_follow',
  'diff',
  'diff_values',
  'drift_layout',
  'print',
];
const ROUTES = [
  {
    pattern: /^\/overview$/,
    name: 'overview',
    title: 'Overview',
    load: view(() => import('./views/overview.js'), 'stacks', 'overview_panels'),
  },
  {
    pattern: /^\/stacks(?:\/([^/]+))?$/,
    name: 'stacks',
    title: 'Stacks',
    load: view(() => import('./views/stacks.js'), 'drift_filters', 'drift_detail', 'admin', 'people', 'stacks'),
  },
  {
    pattern: /^\/drifts(?:\/([\w-]+))?$/,
    name: 'drifts',
    title: 'Drifts',
    load: view(() => import('./views/drifts.js'), ...DRIFT_STYLES),
  },
  {
    pattern: /^\/alerts$/,
    name: 'alerts',
    title: 'Alerts',
    load: view(() => import('./views/alerts.js'), 'drift_list', 'alerts'),
  },
  {
    pattern: /^\/notifications(?:\/([\w-]+))?$/,
    name: 'notifications',
    title: 'Notifications',
    load: view(() => import('./views/notifications.js'), 'drift_filters', 'admin', 'people', 'notifications'),
  },
  {
    pattern: /^\/report$/,
    name: 'report',
    title: 'Monthly report',
    load: view(() => import('./views/report.js'), 'admin', 'print', 'report'),
  },
  {
    pattern: /^\/link-slack$/,
    name: 'link-slack',
    title: 'Link Slack user',
    load: view(() => import('./views/link_slack.js'), 'sessions', 'people'),
  },
  {
    pattern: /^\/account$/,
    name: 'account',
    title: 'Account',
    load: view(() => import('./views/account.js'), 'sessions', 'people'),
  },
  {
    pattern: /^\/admin(?:\/(\w+)(?:\/([\w-]+))?)?$/,
    name: 'admin',
    title: 'Admin',
    load: view(
      () => import('./views/admin.js'),
      'drift_filters',
      'drift_detail',
      'sessions',
      'admin',
      'people',
      'rules',
      'print',
    ),
  },
];
const HOME = '/overview';

const linkPage = view(() => import('./views/public/link_page.js'), 'people');
/** The pages that also work without a session. Links in mails lead to most of them. */
const PUBLIC = {
  'confirm-sign-up': linkPage,
  'reset-password': linkPage,
  'verify-email': linkPage,
  'confirm-email': linkPage,
  'undo-email': linkPage,
  invitation: linkPage,
  'log-in': linkPage,
  'forgot-password': view(() => import('./views/public/forgot_password.js'), 'people'),
  'dev-mail': view(() => import('./views/public/dev_mail.js'), 'people'),
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
