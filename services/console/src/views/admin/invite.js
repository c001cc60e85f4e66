// The dialog that invites a person.

import { post } from '../../api.js';
import { openDialog } from '../../dialog.js';
import { h } from '../../dom.js';
import { cancel, form } from '../../fields.js';
import { notify } from '../../notice.js';
import { accountField, emailField, emailTaken, nameField, roleField } from './user_form.js';

export const INVITATIONS = '/api/auth/invitations';

/** Returns the invitation, or undefined. */
export function inviteUser() {
  return openDialog('Invite a person', (close) => {
    const send = async ({ email, role, name, accountId }) => {
      const { data } = await post(INVITATIONS, {
        email: email.trim(),
        role,
        ...(name.trim() && { name: name.trim() }),
        ...(accountId.trim() && { accountId: accountId.trim() }),
      });
      notify(`Invited: ${data.email}.`, {
        action: { label: 'Show', run: () => (location.hash = '#/admin/invitations') },
      });
      close(data);
    };
    return [
      h('p', { class: 'quiet' }, 'The person gets a mail with a link, and chooses name and password.'),
      form([emailField(), nameField('', false), roleField(), accountField()], {
        action: 'Send invitation',
        send,
        blame: emailTaken,
        beside: cancel(close),
        dialog: true,
      }),
    ];
  });
}
