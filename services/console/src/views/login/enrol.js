// Sets up the first factor during a login, because the server requires one.

import { h } from '../../dom.js';
import { form } from '../../fields.js';
import { request } from '../../http.js';
import * as passkeys from '../../passkeys.js';
import { deviceName } from '../factors/device_name.js';
import { showRecoveryCodes } from '../factors/recovery_codes.js';
import { totpSetup } from '../factors/totp_setup.js';
import { backLine, fillCard, lastButton } from '../public/card.js';

const ENROL = '/api/auth/login/enrol';
const WIDE = 'button-wide';

/** Shows the choice of a factor. `send(proof)` completes the login, and `late()` is called if its time ran out. */
export function enrol(page, { mfaToken, send, late }) {
  const { place, settings, signal, back } = page;
  const setup = async (factor) => {
    try {
      return (await request('POST', `${ENROL}/${factor}`, { body: { mfaToken } })).data;
    } catch (error) {
      if (error.status !== 401) throw error;
      late();
      return null;
    }
  };
  const complete = async (proof) => {
    const data = await send(proof);
    if (data?.recoveryCodes) await showRecoveryCodes(data.recoveryCodes);
  };

  function choose() {
    fillCard(
      place,
      'Set up a second factor',
      h('p', {}, 'Your account needs a second factor besides the password. Choose one to continue.'),
      form([], { action: 'Use an authenticator app', tone: `button-primary ${WIDE}`, send: connectApp }),
      settings.passkeys &&
        passkeys.isSupported() &&
        form([], { action: 'Create a passkey', tone: WIDE, send: createPasskey }),
      backLine(back),
    );
  }

  async function connectApp() {
    const data = await setup('totp');
    if (!data || signal.aborted) return;
    fillCard(
      place,
      'Connect an app',
      totpSetup(data, (code) => complete({ code }), { action: 'Log in', tone: `button-primary ${WIDE}` }),
      lastButton('Choose another factor', choose),
    );
  }

  async function createPasskey() {
    const options = await setup('passkey');
    if (!options) return;
    const registration = await passkeys.createPasskey(options, signal);
    await complete({ registration, name: deviceName() });
  }

  choose();
}
