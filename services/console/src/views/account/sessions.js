// The devices that are logged in.

import { remove } from '../../api.js';
import { confirmFirst } from '../../dialog.js';
import { h } from '../../dom.js';
import { ago, explain, plural, until } from '../../format.js';
import { icon } from '../../icons.js';
import { notify } from '../../notice.js';
import * as session from '../../session.js';
import { busy } from '../../states.js';

export const SESSIONS = '/api/auth/sessions';

export function sessionsView(sessions, reread) {
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

function sessionView(entry, reread) {
  const { id, current } = entry;
  const name = deviceName(entry);
  const end = async ({ currentTarget: button }) => {
    await attempt(button, async () => {
      await remove(`${SESSIONS}/${id}`);
      notify(`Ended: ${name}.`);
    });
    reread();
  };
  return deviceView(
    entry,
    current
      ? h('button', { class: 'button', on: { click: session.logOut } }, 'Log out')
      : h(
          'button',
          { class: 'button', 'aria-label': `End the session of ${name}`, on: { click: end } },
          'End',
        ),
  );
}

function deviceName({ deviceInfo }) {
  const { browser, os, raw } = deviceInfo ?? {};
  return [browser, os].filter(Boolean).join(' on ') || raw?.split(/[\s(]/)[0] || 'Unknown device';
}

/** Returns an item of the list of devices. */
export function deviceView(entry, action) {
  const { current, deviceInfo, ipAddress, createdAt, lastActivity, expiresAt } = entry;
  return h(
    'li',
    { class: current ? 'session is-current' : 'session', title: deviceInfo?.raw },
    icon(DRAWINGS[deviceInfo?.device] ?? 'terminal'),
    h(
      'div',
      {},
      h(
        'p',
        {},
        h('strong', {}, deviceName(entry)),
        current && h('span', { class: 'tag tag-here' }, 'this device'),
      ),
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
    action,
  );
}

async function attempt(button, work) {
  try {
    await busy(button, work);
  } catch (error) {
    notify(explain(error), { tone: 'error' });
  }
}
