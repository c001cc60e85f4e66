// The frame around every view: navigation, the signed-in user, and the state of the connection.

import { get } from './api.js';
import { followForBrowser } from './browser_notifications.js';
import { followDestinations } from './destination_news.js';
import { fill, h } from './dom.js';
import { count } from './format.js';
import { Unreachable } from './http.js';
import { brandMark, icon } from './icons.js';
import { connectionPill } from './connection_pill.js';
import { noticeArea, notify } from './notice.js';
import { route } from './router.js';
import * as session from './session.js';
import { failed, skeleton } from './states.js';
import { needStyles } from './styles.js';
import { follow, onSummary } from './summary.js';
import { nextTheme, theme } from './theme.js';
import { setTitle, setUnread } from './title.js';
import { followVisits } from './visits.js';

const ENTRIES = [
  { name: 'overview', label: 'Overview' },
  { name: 'stacks', label: 'Stacks' },
  { name: 'drifts', label: 'Drifts', badge: ({ open }) => [open, 'open'] },
  { name: 'alerts', label: 'Alerts', badge: ({ unreadAlerts }) => [unreadAlerts, 'unread'] },
  { name: 'notifications', label: 'Notifications', role: 'engineer' },
  { name: 'report', label: 'Report' },
  // Of the administration, engineers see the rules.
  { name: 'admin', label: 'Rules', role: 'engineer', below: 'admin' },
  { name: 'account', label: 'Account' },
  { name: 'admin', label: 'Admin', role: 'admin' },
];

export function openShell(app, signal) {
  const stage = h('div', { class: 'stage' });
  const links = navigation(signal);
  fill(
    app,
    h('a', { class: 'skip-link', href: '#main', on: { click: skip } }, 'Skip to content'),
    h(
      'div',
      { class: 'shell' },
      h(
        'header',
        { class: 'side' },
        h('a', { class: 'brand', href: '#/overview' }, brandMark(), h('span', {}, 'DriftSentry')),
        h(
          'nav',
          { class: 'nav', 'aria-label': 'Main' },
          h(
            'ul',
            {},
            [...links.values()].map((link) => h('li', {}, link)),
          ),
        ),
        h(
          'div',
          { class: 'side-foot' },
          h('div', { class: 'side-line' }, connectionPill(signal), paletteButton(signal)),
          whoami(signal),
        ),
      ),
      stage,
    ),
    noticeArea(),
  );
  followVisits(signal);
  followForBrowser(signal);
  if (session.may('admin')) followDestinations(signal);
  follow(signal);
  onSummary(({ unreadAlerts }) => setUnread(unreadAlerts), signal);
  signal.addEventListener('abort', () => setUnread(0));
  show(stage, links, signal);
}

function skip(event) {
  event.preventDefault();
  document.getElementById('main')?.focus();
}

function navigation(signal) {
  const links = new Map();
  const badges = new Map();
  for (const { name, label, role, below, badge } of ENTRIES) {
    if ((role && !session.may(role)) || (below && session.may(below))) continue;
    const number = badge && h('span', { class: 'badge', hidden: true });
    if (badge) badges.set(number, badge);
    links.set(
      name,
      h('a', { class: 'nav-link', href: `#/${name}` }, icon(name), h('span', {}, label), number),
    );
  }
  onSummary((summary) => {
    for (const [number, badge] of badges) {
      const [value, what] = badge(summary);
      number.hidden = value === 0;
      fill(number, count(value), h('span', { class: 'unseen' }, ` ${what}`));
    }
  }, signal);
  return links;
}

function whoami(signal) {
  const name = h('strong', {}, session.user().name ?? session.user().email);
  get('/api/auth/me', {}, { signal })
    .then(({ data }) => {
      session.nameUser(data.name);
      fill(name, data.name);
    })
    .catch(() => {});
  const themeButton = h(
    'button',
    { class: 'icon-button theme-button', on: { click: changeTheme } },
    icon('theme'),
  );
  const nameTheme = (name) => {
    themeButton.title = `Colours: ${name}`;
    themeButton.setAttribute('aria-label', `Colours: ${name}. Change`);
  };
  nameTheme(theme());
  function changeTheme() {
    const now = nextTheme();
    nameTheme(now);
    notify(`Colours: ${now === 'auto' ? 'system setting' : now}`, { tone: 'info' });
  }
  return h(
    'div',
    { class: 'whoami' },
    h(
      'a',
      { class: 'whoami-name', href: '#/account' },
      name,
      h('span', { class: 'role' }, session.user().role),
    ),
    themeButton,
    h(
      'button',
      { class: 'icon-button', 'aria-label': 'Log out', title: 'Log out', on: { click: session.logOut } },
      icon('leave'),
    ),
  );
}

/** Returns the button of the command palette, which Ctrl K opens too. */
function paletteButton(signal) {
  const pressed = (event) => {
    const isCommand = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
    if (!isCommand || event.key.toLowerCase() !== 'k') return;
    event.preventDefault();
    showPalette();
  };
  document.addEventListener('keydown', pressed, { signal });
  return h(
    'button',
    {
      class: 'icon-button',
      'aria-label': 'Go to',
      'aria-keyshortcuts': 'Control+K Meta+K',
      title: 'Go to (Ctrl K)',
      on: { click: showPalette },
    },
    icon('search'),
  );
}

/** Opens the command palette. It is loaded here, because most visits do not need it. */
async function showPalette() {
  try {
    const [{ commands, openPalette }] = await Promise.all([import('./palette.js'), needStyles('palette')]);
    openPalette(commands(ENTRIES, () => document.querySelector('.theme-button').click()));
  } catch {
    notify('The list of commands did not load. Check your connection and try again.', { tone: 'error' });
  }
}

/** Shows the view of the address. A view that returns `update` follows new addresses itself. */
function show(stage, links, signal) {
  let shown = null;
  route((found) => {
    for (const [name, link] of links) {
      if (name === found.name) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
    if (shown?.name === found.name && shown.update) return shown.update(found);
    setTitle(found.title);
    shown?.leaving.abort();
    const isFirst = shown === null;
    shown = { name: found.name, leaving: new AbortController(), update: null };
    return enter(shown, found, { stage, isFirst, signal: AbortSignal.any([shown.leaving.signal, signal]) });
  }, signal);
}

async function enter(visit, found, { stage, isFirst, signal }) {
  const main = h('main', { id: 'main', tabindex: '-1', class: `view view-${found.name}` }, skeleton());
  fill(stage, main);
  try {
    const view = await found.load().catch((error) => Promise.reject(new Unreachable(error)));
    if (signal.aborted) return;
    visit.update = view.show(main, found, signal);
    scrollTo(0, 0);
    // A screen reader continues at the start of the new view.
    if (!isFirst) main.focus({ preventScroll: true });
  } catch (error) {
    const again = () => enter(visit, found, { stage, isFirst, signal });
    if (!signal.aborted) fill(main, failed(error, again));
  }
}
