// The choice of events: checkboxes for the types of the catalogue, and a text for further patterns.

import { h } from '../../dom.js';
import { field } from '../../fields.js';
import { listIn } from './kinds.js';

/** The types that a destination can receive, by group. The pattern of a group covers its future types too. */
const GROUPS = {
  'drift:*': {
    label: 'Drifts',
    types: {
      'drift:created': 'New drift',
      'drift:updated': 'Changed',
      'drift:approved': 'Approved',
      'drift:rejected': 'Rejected',
      'drift:resolved': 'Resolved',
      'drift:commented': 'Comment',
      'drift:uncommented': 'Comment deleted',
      'drift:rules_changed': 'Rules changed',
    },
  },
  'alert:*': { label: 'Alerts', types: { 'alert:created': 'New alert', 'alert:closed': 'Alert closed' } },
  'scan:*': { label: 'Scans', types: { 'scan:stored': 'Scan stored' } },
  'stack:*': {
    label: 'Stacks',
    types: { 'stack:silent': 'No scan arrives', 'stack:updated': 'Changed', 'stack:deleted': 'Deleted' },
  },
  'notification:*': {
    label: 'Destinations',
    types: {
      'notification:destination_failing': 'Failing',
      'notification:destination_recovered': 'Works again',
    },
  },
  'auth:*': {
    label: 'Users and sessions',
    types: {
      'auth:user.registered': 'Signed up',
      'auth:user.invited': 'Invited',
      'auth:user.updated': 'User changed',
      'auth:user.deleted': 'User deleted',
      'auth:user.login': 'Logged in',
      'auth:user.logout': 'Logged out',
      'auth:email.verified': 'Email verified',
      'auth:password.reset_requested': 'Password reset requested',
      'auth:session.created': 'Session created',
      'auth:session.terminated': 'Session ended by its user',
      'auth:session.deleted': 'Session ended',
      'auth:sessions.bulk_terminated': 'Sessions ended at once',
    },
  },
};
const KNOWN = new Set(Object.entries(GROUPS).flatMap(([all, { types }]) => [all, ...Object.keys(types)]));

/** The events of a new destination: all that PagerDuty needs to open and to resolve an incident, and silent stacks. */
export const USUAL_EVENTS = ['drift:created', 'drift:updated', 'drift:approved', 'drift:resolved', 'stack:silent'];

/** Returns the fields, and a function that returns the chosen patterns. */
export function eventFields(chosen) {
  const boxes = [];
  const box = (value) => {
    const input = h('input', { type: 'checkbox', data: { value }, checked: chosen.includes(value) });
    boxes.push(input);
    return input;
  };
  const check = (input, label, name) => h('label', { class: 'check' }, input, h('span', {}, label, ' ', h('code', {}, name)));

  const group = ([pattern, { label, types }]) => {
    const all = box(pattern);
    const each = Object.entries(types).map(([type, text]) => [box(type), text, type]);
    const follow = () => each.forEach(([input]) => (input.disabled = all.checked));
    all.addEventListener('change', follow);
    follow();
    return h(
      'fieldset',
      { class: 'checks' },
      h('legend', {}, label),
      check(all, 'All, and future ones', pattern),
      each.map(([input, text, type]) => check(input, text, type)),
    );
  };
  const others = h('textarea', {
    name: 'rules.events',
    rows: 2,
    spellcheck: 'false',
    class: 'mono',
    value: chosen.filter((pattern) => !KNOWN.has(pattern)).join('\n'),
  });
  const groups = h('div', { class: 'event-groups' }, Object.entries(GROUPS).map(group));
  return {
    element: [
      groups,
      field('Further patterns (optional)', others, 'One in a line, such as drift:re*. Nothing chosen: every event.'),
    ],
    patterns: () => {
      const checked = boxes.filter((input) => input.checked && !input.disabled);
      return [...checked.map(({ dataset }) => dataset.value), ...listIn(others.value)];
    },
  };
}
