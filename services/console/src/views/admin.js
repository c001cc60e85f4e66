// Administration: users, invitations, service tokens, live connections, rules, audit log.

import { fill, h } from '../dom.js';
import * as session from '../session.js';
import { failed } from '../states.js';
import { setTitle } from '../title.js';
import { showAudit } from './admin/audit.js';
import { showConnections } from './admin/connections.js';
import { showInvitations } from './admin/invitations.js';
import { showRules } from './admin/rules.js';
import { showTokens } from './admin/tokens.js';
import { showUser } from './admin/user.js';
import { showUsers } from './admin/users.js';

const PARTS = {
  users: ['Users', showUsers],
  invitations: ['Invitations', showInvitations],
  tokens: ['Service tokens', showTokens],
  connections: ['Live connections', showConnections],
  rules: ['Rules', showRules],
  audit: ['Audit', showAudit],
};

export function show(main, found, signal) {
  const place = h('div', { class: 'admin-part', tabindex: '-1' });
  // Search and filters outlast a visit to another part.
  const kept = {};
  const links = Object.entries(PARTS).map(([name, [label]]) =>
    h('a', { class: 'tab', href: `#/admin/${name}`, data: { name } }, label),
  );
  const head = h('header', { class: 'view-head' }, h('h1', {}, 'Admin'));
  if (!session.may('admin')) {
    fill(
      main,
      head,
      failed({ status: 403, message: 'Only admins can open this page. Ask an admin to change your role.' }),
    );
    return undefined;
  }
  let leaving = new AbortController();
  fill(main, head, h('nav', { class: 'tabs', 'aria-label': 'Administration' }, links), place);

  const update = ({ id, part, query }) => {
    const chosen = Object.hasOwn(PARTS, id ?? '') ? id : 'users';
    setTitle(PARTS[chosen][0], 'Admin');
    for (const link of links) {
      if (link.dataset.name === chosen) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
    leaving.abort();
    leaving = new AbortController();
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
