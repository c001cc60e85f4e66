// The devices on which a login needs no second factor for a while.

import { get, remove } from '../../api.js';
import { h } from '../../dom.js';
import { ago, until } from '../../format.js';
import { icon } from '../../icons.js';
import { livePlace } from '../../live_place.js';
import { notify } from '../../notice.js';
import { attempt } from '../attempt.js';
import { lastUse } from './passkeys.js';
import { deviceDrawing, deviceName } from './sessions.js';

const DEVICES = '/api/auth/trusted-devices';

/** Returns the list, which stays up to date. */
export const trustedDevices = (signal) =>
  livePlace(
    ['auth:session', 'auth:factor'],
    400,
    signal,
    async (again) => devicesView((await get(DEVICES, {}, { signal })).data, again),
    { rows: 1 },
  ).place;

const devicesView = (devices, reread) => [
  h(
    'p',
    { class: 'quiet' },
    devices.length > 0
      ? 'A login on these devices needs only the password.'
      : 'None. Every login needs a second factor.',
  ),
  h(
    'ul',
    { class: 'sessions' },
    devices.map((device) => deviceView(device, reread)),
  ),
];

function deviceView(device, reread) {
  const { id, current, createdAt, lastUsedAt, expiresAt } = device;
  const name = deviceName(device);
  const revoke = async ({ currentTarget: button }) => {
    if (await attempt(button, () => remove(`${DEVICES}/${id}`))) notify(`No longer trusted: ${name}.`);
    reread();
  };
  return h(
    'li',
    { class: current ? 'session is-current' : 'session' },
    icon(deviceDrawing(device)),
    h(
      'div',
      {},
      h('p', {}, h('strong', {}, name), current && h('span', { class: 'tag tag-here' }, 'this device')),
      h(
        'p',
        { class: 'quiet' },
        'trusted ',
        ago(createdAt, 'ago'),
        ' · ',
        lastUse(lastUsedAt),
        ' · expires ',
        until(expiresAt),
      ),
    ),
    h('button', { class: 'button', 'aria-label': `Revoke the trust in ${name}`, on: { click: revoke } }, 'Revoke'),
  );
}
