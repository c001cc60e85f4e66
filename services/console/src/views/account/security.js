// The security of the account: second factors, sessions, trusted devices, password.

import { get } from '../../api.js';
import { configOrUsual } from '../../config.js';
import { livePlace } from '../../live_place.js';
import { factorsView } from './factors.js';
import { panel } from './panel.js';
import { passwordForm } from './password.js';
import { SESSIONS, sessionsView } from './sessions.js';
import { trustedDevices } from './trusted_devices.js';

/** Returns the panels. */
export function securityPart(signal) {
  const factors = livePlace(
    ['auth:factor', 'auth:session.strengthened'],
    300,
    signal,
    (again) => factorsView(refocused(again), signal),
    { rows: 3 },
  );
  const sessions = livePlace(
    ['auth:session', 'auth:user'],
    400,
    signal,
    async (again) => sessionsView((await get(SESSIONS, {}, { signal })).data, again),
    { rows: 3 },
  );
  const trusted = panel('Trusted devices', trustedDevices(signal), 'panel-wide');
  trusted.hidden = true;
  configOrUsual().then(({ trustedDeviceDays }) => (trusted.hidden = trustedDeviceDays === 0));
  return [
    panel('Second factors', factors.place, 'panel-wide panel-first'),
    panel('Where you are logged in', sessions.place, 'panel-wide'),
    panel('Password', passwordForm(sessions.reread)),
    trusted,
  ];
}

/** Reads the factors again. The button that opened a dialog may be gone when the dialog closes. */
const refocused = (again) => async () => {
  await again();
  if (document.activeElement === document.body) document.querySelector('.factor-actions button')?.focus();
};
