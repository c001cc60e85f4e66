// The user's own account: the devices that are logged in, and the password.

import { get, post, remove } from '../api.js';
import { confirmFirst } from '../dialog.js';
import { fill, h } from '../dom.js';
import { ago, explain, plural, until } from '../format.js';
import { icon } from '../icons.js';
import { livePlace } from '../live_place.js';
import { notify } from '../notice.js';
import * as session from '../session.js';
import { busy } from '../states.js';

const SESSIONS = '/api/auth/sessions';

export function show(main, found, signal) {
  const { email, role } = session.user();
  const { place, reread } = livePlace(
    ['auth:session', 'auth:user'],
    400,
    signal,
    async (again) => {
      const { data } = await get(SESSIONS, {}, { signal });
      return sessionsView(data, again);
    },
    { rows: 3 },
  );
  fill(
    main,
    h(
      'header',
      { class: 'view-head' },
      h('h1', {}, 'Account'),
      h('span', { class: 'quiet' }, `${email} · ${role}`),
    ),
    h('section', { class: 'panel' }, h('h2', {}, 'Where you are logged in'), place),
    h(
      'section',
      { class: 'panel panel-narrow' },
      h('h2', {}, 'Password'),
      passwordForm(reread),
    ),
  );
}

function sessionsView(sessions, reread) {
  const others = sessions.filter(({ current }) => !current);
  const ordered = sessions.toSorted(
    (a, b) => b.current - a.current || b.lastActivity.localeCompare(a.lastActivity),
  );
  const endOthers = async ({ currentTarget: button }) => {
    const text = `${plural(others.length, 'other device')} will have to log in again.`;
    if (!(await confirmFirst('End all other sessions?', text, 'End sessions'))) return;
    await attempt(button, async () => {
      const { data } = await remove(`${SESSIONS}/all`);
      notify(`Ended ${plural(data.terminated, 'session')}.`);
    });
    reread();
  };
  return [
    h(
      'ul',
      { class: 'sessions' },
      ordered.map((entry) => sessionView(entry, reread)),
    ),
    others.length > 1 &&
      h('button', { class: 'button', on: { click: endOthers } }, `End all ${others.length} others`),
  ];
}

const DRAWINGS = { desktop: 'laptop', mobile: 'phone', crawler: 'terminal', other: 'terminal' };

function sessionView({ id, current, deviceInfo, ipAddress, createdAt, lastActivity, expiresAt }, reread) {
  const { browser, os, device, raw } = deviceInfo ?? {};
  const name = [browser, os].filter(Boolean).join(' on ') || raw?.split(/[\s(]/)[0] || 'Unknown device';
  const end = async ({ currentTarget: button }) => {
    await attempt(button, async () => {
      await remove(`${SESSIONS}/${id}`);
      notify(`Ended: ${name}.`);
    });
    reread();
  };
  return h(
    'li',
    { class: current ? 'session is-current' : 'session', title: raw },
    icon(DRAWINGS[device] ?? 'terminal'),
    h(
      'div',
      {},
      h('p', {}, h('strong', {}, name), current && h('span', { class: 'tag tag-here' }, 'this device')),
      h(
        'p',
        { class: 'quiet' },
        ipAddress,
        ' · last active ',
        ago(lastActivity, 'ago'),
        ' · logged in ',
        ago(createdAt, 'ago'),
        ' · expires ',
        until(expiresAt),
      ),
    ),
    current
      ? h('button', { class: 'button', on: { click: session.logOut } }, 'Log out')
      : h(
          'button',
          { class: 'button', 'aria-label': `End the session of ${name}`, on: { click: end } },
          'End',
        ),
  );
}

async function attempt(button, work) {
  try {
    await busy(button, work);
  } catch (error) {
    notify(explain(error), { tone: 'error' });
  }
}

function passwordForm(reread) {
  const told = h('p', { class: 'form-error', role: 'alert', hidden: true });
  const submit = h('button', { class: 'button', type: 'submit' }, 'Change password');
  const input = (id, label, autocomplete) =>
    h(
      'div',
      { class: 'field' },
      h('label', { for: id }, label),
      h('input', { id, name: id, type: 'password', autocomplete, required: true }),
    );
  const form = h(
    'form',
    { novalidate: true },
    // Tells a password manager which user the password belongs to.
    h('input', {
      class: 'unseen',
      type: 'text',
      autocomplete: 'username',
      value: session.user().email,
      tabindex: '-1',
      'aria-hidden': 'true',
      readonly: true,
    }),
    input('currentPassword', 'Current password', 'current-password'),
    input('newPassword', 'New password', 'new-password'),
    h('p', { class: 'hint' }, 'At least 8 characters. Your other sessions will end.'),
    told,
    submit,
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const { currentPassword, newPassword } = Object.fromEntries(new FormData(form));
    return busy(submit, async () => {
      try {
        await post('/api/auth/password', { currentPassword, newPassword });
        form.reset();
        told.hidden = true;
        notify('Password changed. Your other sessions have ended.');
        reread();
      } catch (error) {
        told.hidden = false;
        fill(told, error.field?.('currentPassword') ? 'The current password is wrong.' : explain(error));
      }
    });
  });
  return form;
}
