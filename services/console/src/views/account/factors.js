// The second factors of the user: authenticator app, passkeys, recovery codes.

import { get, post, remove } from '../../api.js';
import { configOrUsual } from '../../config.js';
import { confirmFirst, openDialog } from '../../dialog.js';
import { h } from '../../dom.js';
import { cancel } from '../../fields.js';
import { ago, plural } from '../../format.js';
import { icon } from '../../icons.js';
import { notify } from '../../notice.js';
import { attempt } from '../attempt.js';
import { showRecoveryCodes } from '../factors/recovery_codes.js';
import { totpSetup } from '../factors/totp_setup.js';
import { FACTORS, factorRow, finishFactor } from './factor_row.js';
import { lastUse, passkeysView } from './passkeys.js';

const TOTP = `${FACTORS}/totp`;
const CODES = `${FACTORS}/recovery-codes`;
/** From this number of codes left, it is time for new ones. */
const FEW = 3;

/** Returns the factors, and the buttons that change them. */
export async function factorsView(reread, signal) {
  const [{ data }, settings] = await Promise.all([get(FACTORS, {}, { signal }), configOrUsual()]);
  const { totp, passkeys = [], recoveryCodes, required } = data;
  const hasFactor = totp !== null || passkeys.length > 0;
  return [
    !hasFactor &&
      h(
        'p',
        { class: required ? 'banner banner-warning' : 'banner' },
        required
          ? 'Your account needs a second factor. Add one now.'
          : 'Without a second factor, your password alone is enough to log in. Add one to protect your account.',
      ),
    totpRow(totp, reread),
    passkeysView(passkeys, settings.passkeys, reread, signal),
    hasFactor && codesRow(recoveryCodes, reread),
  ];
}

const isOn = () => h('span', { class: 'tag tag-good' }, icon('check'), 'on');

function totpRow(totp, reread) {
  const button = (text, click) =>
    h('button', { class: 'button', 'aria-label': `${text} authenticator app`, on: { click } }, text);
  return factorRow({
    drawing: 'phone',
    title: 'Authenticator app',
    state: totp && isOn(),
    text: totp
      ? ['added ', ago(totp.createdAt, 'ago'), ' · ', lastUse(totp.lastUsedAt)]
      : 'Six-digit codes from an app on your phone.',
    actions: totp
      ? button('Remove', ({ currentTarget }) => removeTotp(currentTarget, reread))
      : button('Add', ({ currentTarget }) => addTotp(currentTarget, reread)),
  });
}

async function addTotp(button, reread) {
  const asked = await attempt(button, () => post(TOTP));
  if (!asked) return;
  openDialog('Add an authenticator app', (close) => {
    const send = async (code) => {
      const { data } = await post(`${TOTP}/confirm`, { code });
      close();
      finishFactor('Added the authenticator app.', data, reread);
    };
    return totpSetup(asked.data, send, { action: 'Add app', dialog: true, beside: cancel(close) });
  });
}

async function removeTotp(button, reread) {
  const text = 'Codes of the app no longer work. Other factors stay.';
  if (!(await confirmFirst('Remove the authenticator app?', text, 'Remove'))) return;
  if (await attempt(button, () => remove(TOTP))) notify('Removed the authenticator app.');
  reread();
}

function codesRow(codes, reread) {
  const replace = ({ currentTarget }) => replaceCodes(currentTarget, codes !== null, reread);
  const left = codes?.left ?? 0;
  return factorRow({
    drawing: 'copy',
    title: 'Recovery codes',
    state: h('span', { class: left <= FEW ? 'tag tag-soon' : 'tag' }, `${left} left`),
    text: [
      'Each one logs you in once if you lose your other factors.',
      codes && [' Created ', ago(codes.createdAt, 'ago'), '.'],
    ],
    actions: h('button', { class: 'button', on: { click: replace } }, codes ? 'Replace codes' : 'Create codes'),
  });
}

async function replaceCodes(button, hasCodes, reread) {
  const text = 'You get ten new codes. The old ones stop working.';
  if (hasCodes && !(await confirmFirst('Replace your recovery codes?', text, 'Replace codes'))) return;
  const made = await attempt(button, () => post(CODES));
  if (made) await showRecoveryCodes(made.data.recoveryCodes);
  reread();
}
