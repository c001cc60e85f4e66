// Administration: users, invitations, service tokens, live connections, rules, audit log.

import { fill, h } from '../dom.js';
import * as session from '../session.js';
import { failed } from '../states.js';
import { setTitle } from '../title.js';
import { showAudit } from './admin/audit.js';
import { showConnections } from './admin/connections.js';
import { showInvitations } from './admin/invitations.js';
import { showTokens } from './admin/tokens.js';
import { showUser } from './admin/user.js';
import { showUsers } from './admin/users.js';
import { showRules } from './rules/page.js';

/** The title of each part, what shows it, and the lowest role that may open it if that is not `admin`. */
const PARTS = {
  users: ['Users', showUsers],
  invitations: ['Invitations', showInvitations],
  tokens: ['Service tokens', showTokens],
  connections: ['Live connections', showConnections],
  rules: ['Rules', showRules, 'engineer'],
  audit: ['Audit', showAudit],
};

export function show(main, found, signal) {
  const place = h('div', { class: 'admin-part', tabindex: '-1' });
  // Search and filters outlast a visit to another part.
  const kept = {};
  const allowed = Object.entries(PARTS).filter(([, [, , role = 'admin']]) => session.may(role));
  const links = allowed.map(([name, [label]]) =>
    h('a', { class: 'tab', href: `#/admin/${name}`, data: { name } }, label),
  );
  const title = session.may('admin') ? 'Admin' : 'Rules';
  const head = h('header', { class: 'view-head' }, h('h1', {}, title));
  const tabs = links.length > 1 && h('nav', { class: 'tabs', 'aria-label': 'Administration' }, links);
  let leaving = new AbortController();
  fill(main, ...[head, tabs, place].filter(Boolean));

  const update = ({ id, part, query }) => {
    const chosen = Object.hasOwn(PARTS, id ?? '') ? id : (links[0]?.dataset.name ?? 'users');
    setTitle(PARTS[chosen][0], title === PARTS[chosen][0] ? null : title);
    for (const link of links) {
      if (link.dataset.name === chosen) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
    leaving.abort();
    leaving = new AbortController();
    if (!links.some(({ dataset }) => dataset.name === chosen)) {
      const message = 'Only admins can open this page. Ask an admin to change your role.';
      fill(place, failed({ status: 403, message }));
      return;
    }
    const visit = AbortSignal.any([leaving.signal, signal]);
    if (chosen === 'users' && part) showUser(place, part, visit);
    else PARTS[chosen][1](place, visit, chosen === 'audit' ? query : kept);
  };
  update(found);
  return (next) => {
    update(next);
    scrollTo(0, 0);
    // The link that led here may be gone.
    if (document.activeElement === document.body) place.focus({ preventScroll: true });
  };
}
