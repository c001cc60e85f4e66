// Proves who the user is: with a code, a passkey, a recovery code, or the password of a user without a factor.

import { fill, h } from '../../dom.js';
import { codeInput, currentPassword, field, form, inputField } from '../../fields.js';
import * as passkeys from '../../passkeys.js';

const WAYS = {
  totp: {
    other: 'Use a code from your app',
    parts: (submit) => [field('Code from your authenticator app', codeInput(submit))],
    proof: ({ code }) => ({ code: code.replaceAll(/\D/g, '') }),
    wrong: 'The code is wrong or was used. Wait for the next one.',
  },
  passkey: {
    other: 'Use a passkey',
    action: 'Use a passkey',
    parts: () => [h('p', {}, 'Confirm with the fingerprint, face or PIN of a device that has your passkey.')],
    proof: async (values, { options, signal }) => ({
      assertion: await passkeys.usePasskey(await options(), signal),
    }),
    wrong: 'The passkey was not accepted. Try again, or use another way.',
  },
  recovery: {
    other: 'Use a recovery code',
    parts: () => [
      inputField(
        'Recovery code',
        {
          name: 'recoveryCode',
          class: 'code-input',
          autocomplete: 'off',
          autocapitalize: 'none',
          spellcheck: 'false',
          required: true,
          maxlength: 64,
        },
        'Each code works once.',
      ),
    ],
    proof: ({ recoveryCode }) => ({ recoveryCode: recoveryCode.trim() }),
    wrong: 'The recovery code is wrong or was used. Enter another one.',
  },
  password: {
    other: 'Use your password',
    parts: () => [currentPassword()],
    proof: ({ currentPassword }) => ({ password: currentPassword }),
    wrong: 'The password is wrong.',
  },
};

/**
 * Returns the form of the first of the `ways` that this browser has, with links to the others. `send(proof)` sends the
 * proof, and `options()` returns the request for a passkey. `above` is shown above every form, and `style` has more
 * properties of the forms. A passkey is asked for at once if there is no other factor.
 */
export function provePart({ ways, send, options, signal, above = null, action, ...style }) {
  const usable = Object.keys(WAYS).filter(
    (way) => ways.includes(way) && (way !== 'passkey' || passkeys.isSupported()),
  );
  if (usable.length === 0) return noWay();
  const place = h('div', { class: 'dialog-part' });
  const isLone = usable[0] === 'passkey';

  function draw(way, isChosen) {
    const { parts, proof, wrong, action: own } = WAYS[way];
    const submit = () => entry.requestSubmit();
    const entry = form(parts(submit), {
      ...style,
      action: own ?? action,
      reword: (error) => (isRefusal(error) ? wrong : undefined),
      async send(values) {
        try {
          await send(await proof(values, { options, signal }));
        } catch (error) {
          // The next text replaces the wrong one.
          entry.querySelector('input')?.select();
          throw error;
        }
      },
    });
    const others = usable.filter((other) => other !== way);
    fill(
      place,
      above,
      entry,
      others.length > 0 &&
        h(
          'p',
          { class: 'other-ways' },
          others.map((other) =>
            h(
              'button',
              { class: 'link-button', type: 'button', on: { click: () => draw(other, true) } },
              WAYS[other].other,
            ),
          ),
        ),
    );
    if (isChosen) (entry.querySelector('input') ?? entry.querySelector('button')).focus();
    if (way === 'passkey' && (isChosen || isLone)) queueMicrotask(submit);
  }

  draw(usable[0], false);
  return place;
}

const isRefusal = ({ code }) => code === 'VALIDATION_ERROR';

const noWay = () =>
  h(
    'p',
    { class: 'banner banner-warning', role: 'alert' },
    'Your account has only passkeys, which this browser cannot use. Open the console in another browser.',
  );
