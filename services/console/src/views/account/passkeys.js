// The passkeys of the user.

import { patch, post, remove } from '../../api.js';
import { confirmFirst, openDialog } from '../../dialog.js';
import { h } from '../../dom.js';
import { cancel, form, inputField } from '../../fields.js';
import { ago } from '../../format.js';
import { icon } from '../../icons.js';
import { notify } from '../../notice.js';
import { createPasskey, isSupported } from '../../passkeys.js';
import { deviceName } from '../factors/device_name.js';
import { attempt } from '../attempt.js';
import { FACTORS, factorRow, finishFactor } from './factor_row.js';

const PASSKEYS = `${FACTORS}/passkeys`;

/** Returns the list, and the button that adds one if the server and the browser have passkeys. */
export function passkeysView(passkeys, isOn, reread, signal) {
  if (!isOn && passkeys.length === 0) return null;
  const add = h('button', { class: 'button', on: { click: () => addPasskey(signal, reread) } }, 'Add passkey');
  return factorRow({
    drawing: 'key',
    title: 'Passkeys',
    text: 'The fingerprint, face or PIN of a device. A passkey works only here, so a fake page cannot use it.',
    actions: isOn && isSupported() && add,
    hint: isOn && !isSupported() && 'This browser cannot create passkeys.',
    more:
      passkeys.length > 0 &&
      h(
        'ul',
        { class: 'passkeys' },
        passkeys.map((passkey) => passkeyView(passkey, reread)),
      ),
  });
}

function passkeyView(passkey, reread) {
  const { name, createdAt, lastUsedAt, backedUp } = passkey;
  const button = (text, click) =>
    h('button', { class: 'quiet-button', 'aria-label': `${text} ${name}`, on: { click } }, text);
  return h(
    'li',
    { class: 'passkey' },
    h(
      'div',
      {},
      h(
        'p',
        {},
        h('strong', { class: 'breakable' }, name),
        h('span', { class: 'tag' }, backedUp ? [icon('check'), 'backed up'] : 'only on its device'),
      ),
      h('p', { class: 'quiet' }, 'added ', ago(createdAt, 'ago'), ' · ', lastUse(lastUsedAt)),
    ),
    h(
      'div',
      { class: 'passkey-actions' },
      button('Rename', () => renamePasskey(passkey, reread)),
      button('Remove', ({ currentTarget }) => removePasskey(currentTarget, passkey, reread)),
    ),
  );
}

export const lastUse = (time) => (time ? ['last used ', ago(time, 'ago')] : 'not used yet');

const nameField = (value) =>
  inputField(
    'Name',
    { name: 'name', autocomplete: 'off', required: true, maxlength: 100, value },
    'For example, the device or the password manager that keeps it.',
  );

const addPasskey = (signal, reread) =>
  openDialog('Add a passkey', (close) =>
    form([nameField(deviceName())], {
      action: 'Create passkey',
      dialog: true,
      beside: cancel(close),
      async send({ name }) {
        const { data: options } = await post(`${PASSKEYS}/options`);
        const registration = await createPasskey(options, signal);
        const { data } = await post(PASSKEYS, { name: name.trim(), registration });
        close();
        finishFactor(`Added the passkey ${name.trim()}.`, data, reread);
      },
    }),
  );

const renamePasskey = ({ id, name }, reread) =>
  openDialog('Rename the passkey', (close) =>
    form([nameField(name)], {
      action: 'Rename',
      dialog: true,
      beside: cancel(close),
      async send(values) {
        await patch(`${PASSKEYS}/${id}`, { name: values.name.trim() });
        close();
        reread();
      },
    }),
  );

async function removePasskey(button, { id, name }, reread) {
  const text = `You can no longer log in with ${name}. The device may still offer it until you delete it there too.`;
  if (!(await confirmFirst(`Remove ${name}?`, text, 'Remove'))) return;
  if (await attempt(button, () => remove(`${PASSKEYS}/${id}`))) notify(`Removed the passkey ${name}.`);
  reread();
}
