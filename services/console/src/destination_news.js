// Messages to admins about destinations that fail or work again.

import { go } from './address.js';
import { onLive } from './live.js';
import { notify } from './notice.js';

/** The list has its own message. */
const LIST = '#/notifications';

/** Shows them until `signal` aborts. The words are loaded when there is something to say. */
export function followDestinations(signal) {
  onLive('notification:destination_', (events) => events.forEach((event) => say(event, signal)), signal);
}

async function say({ type, payload }, signal) {
  const { failureWords } = await import('./views/notifications/words.js');
  if (signal.aborted || location.hash === LIST) return;
  const { name, failure } = payload;
  const action = { label: 'Show', run: () => go('/notifications') };
  if (type === 'notification:destination_failing')
    notify(`Deliveries to ${name} fail: ${failureWords(failure)}.`, { tone: 'error', action });
  else notify(`Deliveries to ${name} succeed again.`);
}
