// Connects an authenticator app: its QR code, its key to type, and the first code.

import { copyButton } from '../../copy.js';
import { h } from '../../dom.js';
import { codeInput, field, form } from '../../fields.js';

/**
 * Returns the content of a card or dialog. `setup` is `{secret, uri, qr}` of the server, and `send(code)` confirms the
 * first code. `style` has more properties of the form.
 */
export function totpSetup({ secret, uri, qr }, send, style) {
  const key = h('code', { class: 'totp-key' }, secret.match(/.{1,4}/g).join(' '));
  const code = codeInput(() => entry.requestSubmit());
  const entry = form([field('Code from the app', code)], {
    ...style,
    reword: (error) => error.field?.('code') && 'The code is wrong. Check the clock of your phone, and enter the next code.',
    async send() {
      try {
        await send(code.value.replaceAll(/\D/g, ''));
      } catch (error) {
        code.select();
        throw error;
      }
    },
  });
  return h(
    'div',
    { class: 'dialog-part' },
    h('p', {}, 'Scan this QR code with an authenticator app.'),
    // An image runs no scripts.
    h('img', {
      class: 'totp-qr',
      alt: 'QR code for an authenticator app',
      src: `data:image/svg+xml,${encodeURIComponent(qr)}`,
      width: 200,
      height: 200,
    }),
    h(
      'div',
      {},
      h('p', { class: 'quiet' }, 'Or enter this key, or ', appLink(uri), ' on this device.'),
      h('p', { class: 'totp-key-line' }, key, copyButton('the key', () => secret, () => key)),
    ),
    entry,
  );
}

const appLink = (uri) => h('a', { class: 'text-link', href: uri }, 'open an app');
