// The user's own account. One part has the profile, the email and the data, the other one the security.

import { get } from '../api.js';
import { fill, h } from '../dom.js';
import { livePlace } from '../live_place.js';
import { load } from '../states.js';
import { setTitle } from '../title.js';
import { browserPart } from './account/browser.js';
import { browserNotifications } from './account/browser_notifications.js';
import { dataPart } from './account/data.js';
import { emailPart } from './account/email.js';
import { panel } from './account/panel.js';
import { profilePart } from './account/profile.js';
import { securityPart } from './account/security.js';
import { tabs } from './tabs.js';

const ME = '/api/auth/me';
const TITLE = 'Account';
const PARTS = { profile: ['Profile', accountPart], security: ['Security', securityPart] };

export function show(main, found, signal) {
  const place = h('div', { class: 'account-part', tabindex: '-1' });
  const { nav, mark } = tabs(
    TITLE,
    'account',
    Object.entries(PARTS).map(([name, [label]]) => [name, label]),
  );
  let leaving = new AbortController();
  fill(main, h('header', { class: 'view-head' }, h('h1', {}, TITLE)), nav, place);

  const update = ({ id }) => {
    const chosen = Object.hasOwn(PARTS, id ?? '') ? id : 'profile';
    const [label, part] = PARTS[chosen];
    setTitle(chosen === 'profile' ? null : label, TITLE);
    mark(chosen);
    leaving.abort();
    leaving = new AbortController();
    fill(place, part(AbortSignal.any([leaving.signal, signal])));
  };
  update(found);
  return (next) => {
    update(next);
    scrollTo(0, 0);
  };
}

function accountPart(signal) {
  const readMe = async () => (await get(ME, {}, { signal })).data;
  const profile = h('div', {});
  const email = livePlace(
    ['auth:user.updated', 'auth:email'],
    300,
    signal,
    async (again) => emailPart(await readMe(), again, signal),
    { rows: 1 },
  );
  // Read once: a form that changes while the user types would lose the text.
  load(profile, signal, async () => profilePart(await readMe()), { rows: 3 });
  return [
    panel('Profile', profile, 'panel-first'),
    panel('Email', email.place),
    panel('This browser', h('div', { class: 'browser-choices' }, browserPart(), browserNotifications())),
    panel('Your data', dataPart()),
  ];
}
