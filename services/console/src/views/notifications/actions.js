// The actions of admins on a destination: test, pause, send again, rotate its secret, delete.

import { patch, post, remove } from '../../api.js';
import { confirmFirst, openDialog } from '../../dialog.js';
import { h } from '../../dom.js';
import { cancel, form, inputField } from '../../fields.js';
import { explain, plural } from '../../format.js';
import { notify } from '../../notice.js';
import { busy } from '../../states.js';
import { menu } from '../drifts/menu.js';
import { kindOf } from './kinds.js';
import { signingSecret } from './signing_secret.js';
import { DESTINATIONS } from './words.js';

const HOUR_MS = 3_600_000;

/** Returns the buttons of a destination. `tested(id, result)` gets the result of a test, and `reread` reads the list. */
export function actionsOf(destination, { tested, reread, signal }) {
  const { id, name, kind, isEnabled, version } = destination;
  const path = `${DESTINATIONS}/${id}`;

  /** Runs an action of a button, and explains its error. */
  const act = (work) => async ({ currentTarget: button }) => {
    try {
      await busy(button, work);
    } catch (error) {
      notify(explain(error), { tone: 'error' });
    }
  };

  const test = async () => tested(id, (await post(`${path}/test`)).data);

  async function toggle() {
    await patch(path, { isEnabled: !isEnabled }, { headers: { 'if-match': `"v${version}"` } }).catch((error) => {
      if (error.status !== 412) throw error;
      notify(`Somebody else changed ${name}. Look at it, and try again.`, { tone: 'error' });
    });
    reread();
  }

  async function rotate() {
    const text = 'For 24 hours, requests are signed with both secrets, so that the receiver has time to change.';
    if (!(await confirmFirst(`Rotate the secret of "${name}"?`, text, 'Rotate secret', 'button-primary'))) return;
    const { data } = await post(`${path}/rotate-secret`);
    await openDialog(
      `New secret of ${name}`,
      (close) => signingSecret(data.signingSecret, data.formerUntil, close),
      { wide: true },
    );
  }

  async function erase() {
    const text = 'It receives nothing more. What waits for it is not sent, and its deliveries are deleted.';
    if (!(await confirmFirst(`Delete "${name}"?`, text, 'Delete destination'))) return;
    await remove(path);
    notify(`Deleted: ${name}.`);
    reread();
  }

  const button = (label, work) =>
    h('button', { class: 'quiet-button', 'aria-label': `${label}: ${name}`, on: { click: act(work) } }, label);
  const more = menu(
    ['More', h('span', { class: 'unseen' }, ` about ${name}`)],
    [
      button('Send again', () => sendAgain(path, name)),
      kindOf(kind).isSigned && button('Rotate secret', rotate),
      button('Delete', erase),
    ],
    signal,
  );
  more.firstChild.className = 'quiet-button';
  return [
    button('Test', test),
    h('a', { class: 'quiet-button', href: `#/notifications/${id}`, 'aria-label': `Edit: ${name}` }, 'Edit'),
    button(isEnabled ? 'Pause' : 'Resume', toggle),
    more,
  ];
}

/** Asks since when events are sent again, and sends them. */
function sendAgain(path, name) {
  return openDialog(`Send again to ${name}`, (close) => {
    const send = async ({ since }) => {
      const { data } = await post(`${path}/replay`, { since: new Date(since).toISOString() });
      notify(`Sent again to ${name}: ${plural(data.deliveries, 'event')}.`);
      close();
    };
    return form(
      [
        inputField(
          'Everything since',
          { name: 'since', type: 'datetime-local', required: true, value: localMinute(Date.now() - HOUR_MS) },
          'Deliveries keep their ids, so that the receiver can notice what it has already.',
        ),
      ],
      { action: 'Send again', dialog: true, beside: cancel(close), send },
    );
  });
}

/** Returns a time as the field of a local time takes it. */
function localMinute(time) {
  const date = new Date(time);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
