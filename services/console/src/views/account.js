// The user's own account: profile, email, devices that are logged in, password, data.

import { get } from '../api.js';
import { fill, h } from '../dom.js';
import { livePlace } from '../live_place.js';
import { load } from '../states.js';
import { browserPart } from './account/browser.js';
import { browserNotifications } from './account/browser_notifications.js';
import { dataPart } from './account/data.js';
import { emailPart } from './account/email.js';
import { passwordForm } from './account/password.js';
import { profilePart } from './account/profile.js';
import { SESSIONS, sessionsView } from './account/sessions.js';

const ME = '/api/auth/me';

export function show(main, found, signal) {
  const readMe = async () => (await get(ME, {}, { signal })).data;
  const profile = h('div', {});
  const email = livePlace(
    ['auth:user.updated', 'auth:email'],
    300,
    signal,
    async (again) => emailPart(await readMe(), again, signal),
    { rows: 1 },
  );
  const sessions = livePlace(
    ['auth:session', 'auth:user'],
    400,
    signal,
    async (again) => sessionsView((await get(SESSIONS, {}, { signal })).data, again),
    { rows: 3 },
  );
  fill(
    main,
    h('header', { class: 'view-head' }, h('h1', {}, 'Account')),
    panel('Profile', profile, 'panel-first'),
    panel('Email', email.place),
    panel('Where you are logged in', sessions.place, 'panel-wide'),
    panel('Password', passwordForm(sessions.reread)),
    panel('This browser', h('div', { class: 'browser-choices' }, browserPart(), browserNotifications())),
    panel('Your data', dataPart()),
  );
  // Read once: a form that changes while the user types would lose the text.
  load(profile, signal, async () => profilePart(await readMe()), { rows: 3 });
}

const panel = (title, content, name = '') =>
  h(
    'section',
    { class: `panel ${name === 'panel-wide' ? '' : 'panel-narrow'} ${name}` },
    h('h2', {}, title),
    content,
  );
