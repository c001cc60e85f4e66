// The email of the account: whether it is verified, and its change.

import { post } from '../../api.js';
import { configOrUsual } from '../../config.js';
import { openDialog } from '../../dialog.js';
import { fill, h } from '../../dom.js';
import { cancel, currentPassword, form, inputField, passwordOwner } from '../../fields.js';
import { explain } from '../../format.js';
import { icon } from '../../icons.js';
import { notify } from '../../notice.js';
import { busy } from '../../states.js';
import { checkMail } from '../public/check_mail.js';
import { wrongPassword } from './password.js';

const EMAIL = '/api/auth/email';

/** Returns the state of the email, and the buttons for its changes. */
export async function emailPart(me, reread, signal) {
  const { mail } = await configOrUsual();
  const { email, emailVerifiedAt, pendingEmail } = me;
  const verify = h('button', { class: 'button', on: { click: sendVerification } }, 'Send verification mail');
  const change = h(
    'button',
    { class: 'button', on: { click: () => changeEmail(me, signal).then((isSent) => isSent && reread()) } },
    'Change email',
  );
  async function sendVerification() {
    try {
      const { data } = await busy(verify, () => post(`${EMAIL}/verification`));
      const again = async () => (await post(`${EMAIL}/verification`)).data;
      await enterCode(
        { title: 'Verify your email', path: `${EMAIL}/verify`, action: 'Verify email' },
        email,
        data,
        again,
        signal,
      );
      reread();
    } catch (error) {
      notify(explain(error), { tone: 'error' });
    }
  }
  return [
    h(
      'p',
      { class: 'email-line' },
      h('strong', { class: 'breakable' }, email),
      verifiedMark(emailVerifiedAt),
    ),
    pendingEmail &&
      h(
        'p',
        { class: 'banner', role: 'status' },
        h(
          'span',
          {},
          'The new address ',
          h('strong', { class: 'breakable' }, pendingEmail),
          ' is not confirmed yet. Open the link in the mail that we sent there.',
        ),
      ),
    mail
      ? h('div', { class: 'buttons' }, !emailVerifiedAt && verify, change)
      : h('p', { class: 'hint' }, 'This server sends no mail. An administrator can change your address.'),
  ];
}

export const verifiedMark = (at) =>
  at
    ? h('span', { class: 'tag tag-good' }, icon('check'), 'verified')
    : h('span', { class: 'tag tag-soon' }, 'not verified');

/** Opens a dialog that asks for the new address, then for the code of the mail to it. */
function changeEmail({ email }, signal) {
  const change = { path: `${EMAIL}/confirm`, action: 'Use this email' };
  let isSent = false;
  return openDialog('Change email', (close) => {
    const place = h('div', { class: 'dialog-part' });
    const send = async ({ newEmail, currentPassword }) => {
      const wanted = { newEmail: newEmail.trim(), currentPassword };
      const again = async () => (await post(EMAIL, wanted)).data;
      const asked = await again();
      isSent = true;
      showCode(place, change, wanted.newEmail, asked, again, signal, close);
    };
    fill(
      place,
      form(
        [
          passwordOwner(email),
          inputField(
            'New email',
            {
              name: 'newEmail',
              type: 'email',
              autocomplete: 'email',
              required: true,
              spellcheck: 'false',
            },
            'We send a mail to this address. The change takes effect when you confirm it.',
          ),
          currentPassword(),
        ],
        { action: 'Send mail', send, reword: wrongPassword, beside: cancel(close), dialog: true },
      ),
    );
    return place;
  }).then(() => isSent);
}

/** Opens a dialog that takes the code of a mail. */
const enterCode = ({ title, ...change }, email, asked, again, signal) =>
  openDialog(title, (close) => {
    const place = h('div', { class: 'dialog-part' });
    showCode(place, change, email, asked, again, signal, close);
    return place;
  });

function showCode(place, { path, action }, email, asked, again, signal, close) {
  const finish = () => {
    close(true);
    notify(`Confirmed: ${email}.`);
  };
  const send = async (proof) => {
    await post(path, proof);
    finish();
  };
  fill(place, checkMail({ email, asked, action, send, again, elsewhere: finish, signal }));
  place.querySelector('input').autofocus = true;
  place.querySelector('input').focus();
}
