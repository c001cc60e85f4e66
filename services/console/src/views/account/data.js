// The user's data: export of everything, and the end of the account.

import { download, remove } from '../../api.js';
import { openDialog } from '../../dialog.js';
import { h } from '../../dom.js';
import { cancel, currentPassword, form, inputField, passwordOwner } from '../../fields.js';
import { explain } from '../../format.js';
import { icon } from '../../icons.js';
import { notify } from '../../notice.js';
import { saveFile } from '../../save_file.js';
import * as session from '../../session.js';
import { busy } from '../../states.js';
import { wrongPassword } from './password.js';

const ME = '/api/auth/me';
const CONFIRMATION = 'DELETE';

export function dataPart() {
  const save = h(
    'button',
    { class: 'button', on: { click: exportData } },
    icon('download'),
    'Export my data',
  );
  async function exportData() {
    try {
      saveFile(await busy(save, () => download(`${ME}/export`)), 'driftsentry-account.json');
    } catch (error) {
      notify(explain(error), { tone: 'error' });
    }
  }
  return [
    h(
      'p',
      { class: 'quiet' },
      'The export has your profile, sessions, settings, and all that the audit log says about you.',
    ),
    h(
      'div',
      { class: 'buttons' },
      save,
      h('button', { class: 'button button-danger', on: { click: deleteAccount } }, 'Delete my account'),
    ),
  ];
}

function deleteAccount() {
  return openDialog('Delete your account?', (close) =>
    form(
      [
        h(
          'ul',
          { class: 'bullets' },
          h('li', {}, 'You are logged out everywhere at once, and your service tokens stop working.'),
          h('li', {}, 'Your name, email and settings are deleted. Nobody can restore them.'),
          h('li', {}, 'Your decisions stay, and show "Deleted user" instead of your name.'),
        ),
        passwordOwner(session.user().email),
        currentPassword(),
        inputField(`Type ${CONFIRMATION}`, {
          name: 'confirmation',
          autocomplete: 'off',
          spellcheck: 'false',
          required: true,
        }),
      ],
      {
        action: 'Delete account',
        tone: 'button-danger',
        dialog: true,
        beside: cancel(close),
        reword: wrongPassword,
        blame: (error) => error.input,
        async send({ currentPassword, confirmation }, element) {
          const input = element.elements.confirmation;
          if (confirmation.trim() !== CONFIRMATION)
            throw Object.assign(new Error(`Type ${CONFIRMATION} in capital letters.`), { input });
          await remove(ME, { body: { currentPassword } });
          close();
          session.end('account_deleted');
        },
      },
    ),
  );
}
