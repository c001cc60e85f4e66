// Invitations: who was invited, by whom, and what became of it.

import { get, post, remove } from '../../api.js';
import { configOrUsual } from '../../config.js';
import { confirmFirst } from '../../dialog.js';
import { fill, h } from '../../dom.js';
import { ago, until } from '../../format.js';
import { icon } from '../../icons.js';
import { notify } from '../../notice.js';
import { nameOf } from '../../people.js';
import { empty, load } from '../../states.js';
import { INVITATIONS, inviteUser } from './invite.js';
import { moreButton, table } from './table.js';
import { attempt } from './user_actions.js';

const HEADS = ['Email', 'Role', 'Status', 'Invited', ''];
const MARKS = { pending: 'tag tag-here', accepted: 'tag tag-good', expired: 'tag tag-soon', revoked: 'tag' };

export function showInvitations(place, signal) {
  const list = h('div', {});
  const invite = h(
    'button',
    { class: 'button button-primary', on: { click: () => inviteUser().then((made) => made && read()) } },
    icon('account'),
    'Invite',
  );
  const page = (cursor) => get(INVITATIONS, { limit: 50, cursor }, { signal });
  const row = (invitation) => invitationRow(invitation, () => read(true));
  const read = (quietly = false) =>
    load(
      list,
      signal,
      async () => {
        const [first, { mail, signup }] = await Promise.all([page(), configOrUsual()]);
        invite.disabled = !mail || signup === 'off';
        if (first.data.length === 0)
          return mail
            ? empty(
                'account',
                'No invitations yet',
                'Invite people by email. They choose their own password.',
              )
            : empty(
                'account',
                'This server sends no mail',
                'Set SMTP_URL and MAIL_FROM to invite people, or create users yourself.',
              );
        const body = h('tbody', {}, first.data.map(row));
        const append = (invitations) => body.append(...invitations.map(row));
        return [table('Invitations', HEADS, body), moreButton(append, first.page.nextCursor, page)];
      },
      { quietly },
    );
  fill(
    place,
    h(
      'div',
      { class: 'filter-row' },
      h(
        'p',
        { class: 'quiet grow' },
        'An invitation lets one person create an account with a role that you choose.',
      ),
      invite,
    ),
    list,
  );
  read();
}

function invitationRow(invitation, reread) {
  const { id, email, name, role, status, invitedBy, createdAt, expiresAt } = invitation;
  const button = (text, click) => {
    const made = h(
      'button',
      { class: 'quiet-button', 'aria-label': `${text}: ${email}`, on: { click: () => click(made) } },
      text,
    );
    return made;
  };
  const resend = button('Send again', async (pressed) => {
    if (!(await attempt(pressed, () => post(`${INVITATIONS}/${id}/resend`)))) return;
    notify(`Sent again: ${email}.`);
    reread();
  });
  const revoke = button('Revoke', async (pressed) => {
    const text = 'The link and the code in the mail stop working.';
    if (!(await confirmFirst(`Revoke the invitation of ${email}?`, text, 'Revoke'))) return;
    if (!(await attempt(pressed, () => remove(`${INVITATIONS}/${id}`)))) return;
    notify(`Revoked: ${email}.`);
    reread();
  });
  const isOpen = status === 'pending';
  return h(
    'tr',
    {},
    h('td', {}, h('strong', { class: 'breakable' }, email), name && h('small', {}, name)),
    h('td', {}, role),
    h(
      'td',
      {},
      h('span', { class: MARKS[status] ?? 'tag' }, status),
      isOpen && h('small', { class: 'one-line' }, 'expires ', until(expiresAt)),
    ),
    h('td', {}, ago(createdAt, 'ago'), h('small', {}, 'by ', nameOf(invitedBy))),
    h('td', { class: 'row-actions' }, (isOpen || status === 'expired') && resend, isOpen && revoke),
  );
}
