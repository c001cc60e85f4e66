// The dialogs that create and edit a user.

import { patch, post } from '../../api.js';
import { openDialog } from '../../dialog.js';
import { h } from '../../dom.js';
import { cancel, form, inputField, selectField } from '../../fields.js';
import { notify } from '../../notice.js';
import { ROLES, USERS, mayChangeRole } from './user_actions.js';

const PASSWORD_BYTES = 15;

export const emailField = (value = '') =>
  inputField('Email', {
    name: 'email',
    type: 'email',
    autocomplete: 'off',
    spellcheck: 'false',
    required: true,
    value,
  });

export const nameField = (value = '', required = true) =>
  inputField(required ? 'Name' : 'Name (optional)', {
    name: 'name',
    autocomplete: 'off',
    required,
    maxlength: 100,
    value,
  });

export const roleField = (value = 'viewer') =>
  selectField(
    'Role',
    { name: 'role', value },
    ROLES.map((role) => [role, role]),
  );

export const accountField = (value = '') =>
  inputField(
    'Account (optional)',
    { name: 'accountId', autocomplete: 'off', spellcheck: 'false', value: value ?? '' },
    'The cloud account whose drifts this user sees. Empty: all accounts.',
  );

/** Returns the field of a conflict: an email belongs to one user only. */
export const emailTaken = ({ status }, { elements }) => (status === 409 ? elements.email : null);

/** Returns the user that was created, or undefined. */
export function createUser() {
  return openDialog('New user', (close) => {
    const password = inputField(
      'Password',
      { name: 'password', autocomplete: 'off', spellcheck: 'false', required: true },
      'Give it to the user over a safe channel.',
    );
    const generate = () => (password.querySelector('input').value = randomPassword());
    const send = async ({ accountId, name, email, ...values }) => {
      const account = accountId.trim() && { accountId: accountId.trim() };
      const { data } = await post(USERS, { ...values, name: name.trim(), email: email.trim(), ...account });
      notify(`Created: ${data.name}.`);
      close(data);
    };
    password.append(
      h(
        'button',
        { class: 'link-button align-start', type: 'button', on: { click: generate } },
        'Generate a password',
      ),
    );
    return form([nameField(), emailField(), password, roleField(), accountField()], {
      action: 'Create user',
      send,
      blame: emailTaken,
      beside: cancel(close),
      dialog: true,
    });
  });
}

function randomPassword() {
  const bytes = crypto.getRandomValues(new Uint8Array(PASSWORD_BYTES));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_');
}

/** Returns the changed user, or undefined. */
export function editUser(user) {
  return openDialog(`Edit ${user.name}`, (close) => {
    const send = async ({ name, email, role, accountId }) => {
      if (!(await mayChangeRole(user, role))) return;
      const wanted = { name: name.trim(), email: email.trim(), role, accountId: accountId.trim() || null };
      const changes = Object.entries(wanted).filter(([key, value]) => value !== (user[key] ?? null));
      if (changes.length === 0) return close();
      const { data } = await patch(`${USERS}/${user.id}`, Object.fromEntries(changes));
      notify(`Saved: ${data.name}.`);
      close(data);
    };
    return form(
      [nameField(user.name), emailField(user.email), roleField(user.role), accountField(user.accountId)],
      {
        action: 'Save',
        send,
        blame: (error, form) =>
          form.elements.email.value.trim() === user.email ? null : emailTaken(error, form),
        beside: cancel(close),
        dialog: true,
      },
    );
  });
}
