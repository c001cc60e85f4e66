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
import { tabs } from './tabs.js';

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
  const { nav, mark } = tabs(
    'Administration',
    'admin',
    allowed.map(([name, [label]]) => [name, label]),
  );
  const title = session.may('admin') ? 'Admin' : 'Rules';
  const head = h('header', { class: 'view-head' }, h('h1', {}, title));
  let leaving = new AbortController();
  fill(main, head, allowed.length > 1 && nav, place);

  const update = ({ id, part, query }) => {
    const chosen = Object.hasOwn(PARTS, id ?? '') ? id : (allowed[0]?.[0] ?? 'users');
    setTitle(PARTS[chosen][0], title === PARTS[chosen][0] ? null : title);
    mark(chosen);
    leaving.abort();
    leaving = new AbortController();
    if (!allowed.some(([name]) => name === chosen)) {
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
