// Reports activity to the server, so that a session in use does not expire.

import { post } from './api.js';
import { configOrUsual } from './config.js';

const INPUTS = ['pointerdown', 'keydown', 'scroll'];
const USUAL_SECONDS = 60;

/** Reports input until `signal` aborts. Sends nothing while there is no input. */
export async function followActivity(signal) {
  let toldAt = Date.now();
  const { activityIntervalSeconds } = await configOrUsual();
  if (signal.aborted) return;
  const everyMs = 1000 * (activityIntervalSeconds || USUAL_SECONDS);
  const noted = () => {
    if (Date.now() - toldAt < everyMs) return;
    toldAt = Date.now();
    post('/api/auth/activity', {}, { signal }).catch(() => {});
  };
  for (const type of INPUTS) addEventListener(type, noted, { signal, passive: true, capture: true });
}
