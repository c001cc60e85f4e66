// Changes the password.

import { post } from '../../api.js';
import { currentPassword, form, newPassword, passwordOwner } from '../../fields.js';
import { notify } from '../../notice.js';
import * as session from '../../session.js';

export const passwordForm = (reread) =>
  form(
    [
      passwordOwner(session.user().email),
      currentPassword(),
      newPassword('newPassword', 'New password', 'Your other sessions will end.'),
    ],
    {
      action: 'Change password',
      tone: '',
      reword: wrongPassword,
      async send(values, element) {
        await post('/api/auth/password', values);
        element.reset();
        notify('Password changed. Your other sessions have ended.');
        reread();
      },
    },
  );

/** Returns the words for a wrong current password. */
export const wrongPassword = (error) =>
  error.field?.('currentPassword') ? 'The current password is wrong.' : undefined;
