// Actions of an admin on a user, with the questions before them and the messages after them.

import { patch, post, remove } from '../../api.js';
import { confirmFirst } from '../../dialog.js';
import { h } from '../../dom.js';
import { explain, plural, until } from '../../format.js';
import { icon } from '../../icons.js';
import { notify } from '../../notice.js';
import { busy } from '../../states.js';

export const USERS = '/api/auth/users';
export const ROLES = ['viewer', 'engineer', 'admin'];

/** Runs `work` while the control is busy, and explains an error. Returns the result, or null after an error. */
export async function attempt(control, work) {
  try {
    return await busy(control, work);
  } catch (error) {
    notify(explain(error), { tone: 'error' });
    return null;
  }
}

/** Returns whether the admin wants to change the role of this user. */
export function mayChangeRole({ name, role }, wanted) {
  if (wanted === role) return true;
  const tokens = role === 'admin' ? ` The service tokens that ${name} created stop working.` : '';
  const text = `${name} is ${role} now and becomes ${wanted}, at once and on every device.${tokens}`;
  return confirmFirst(
    `Change the role of ${name}?`,
    text,
    'Change role',
    wanted === 'admin' || role === 'admin' ? 'button-danger' : 'button-primary',
  );
}

/** Disables or enables a user. Returns the user, or null if nothing changed. */
export async function toggleActive(button, { id, name, role, isActive }) {
  const tokens = role === 'admin' ? ' The service tokens of this user stop working.' : '';
  const text = `${name} is logged out everywhere at once, and cannot log in until you enable the account again.${tokens}`;
  if (isActive && !(await confirmFirst(`Disable ${name}?`, text, 'Disable'))) return null;
  const changed = await attempt(button, () => patch(`${USERS}/${id}`, { isActive: !isActive }));
  if (changed) notify(`${name} is ${isActive ? 'disabled' : 'enabled'}.`);
  return changed?.data ?? null;
}

/** Returns whether the sessions were ended. */
export async function endSessions(button, { id, name }) {
  const text = `${name} will have to log in again on every device.`;
  if (!(await confirmFirst(`End all sessions of ${name}?`, text, 'End sessions'))) return false;
  const ended = await attempt(button, () => remove(`${USERS}/${id}/sessions`));
  if (ended) notify(`Ended ${plural(ended.data.terminated, 'session')} of ${name}.`);
  return ended !== null;
}

/** Returns whether the locks were lifted. */
export async function liftLocks(button, { id, name }) {
  const lifted = await attempt(button, () => remove(`${USERS}/${id}/locks`));
  if (lifted) notify(`Lifted ${plural(lifted.data.lifted, 'lock')} of ${name}.`);
  return lifted !== null;
}

export async function sendResetLink(button, { id, name, email }) {
  const text = `${name} gets a mail at ${email} with a link to choose a new password. The old password works until then.`;
  if (!(await confirmFirst('Send a reset link?', text, 'Send reset link', 'button-primary'))) return;
  const sent = await attempt(button, () => post(`${USERS}/${id}/password-reset`));
  if (sent) notify(`Sent a reset link to ${name}.`);
}

/** Returns whether the user was deleted. */
export async function deleteUser(button, { id, name }) {
  const text = `${name} is logged out at once. Name, email and settings are deleted, and service tokens of this user stop working. Decisions stay, without the name. Nobody can undo this.`;
  if (!(await confirmFirst(`Delete ${name}?`, text, 'Delete user'))) return false;
  const deleted = await attempt(button, () => remove(`${USERS}/${id}`));
  if (deleted) notify(`Deleted: ${name}.`);
  return deleted !== null;
}

const LOCKED = {
  network: ({ network }) => `Locked for ${network}`,
  unfamiliar_networks: () => 'Locked for networks that the user has not logged in from recently',
  password_change: () => 'Password changes are locked',
};

export function lockView(lock) {
  const text = LOCKED[lock.scope]?.(lock) ?? 'Locked';
  return h('small', { class: 'user-lock' }, icon('lock'), text, ', expires ', until(lock.endsAt));
}

/** Returns a button whose name for screen readers has the user in it. */
export const actionButton = (text, { name }, click, style = 'quiet-button') => {
  const button = h(
    'button',
    { class: style, 'aria-label': label(text, name), on: { click: () => click(button) } },
    text,
  );
  return button;
};

const label = (text, name) => `${text}${/^(Disable|Enable|Edit|Delete)$/.test(text) ? '' : ' of'} ${name}`;
