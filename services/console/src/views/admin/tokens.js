// Service tokens for machines, such as a scanner in CI. Each token is shown once, when it is created.

import { get, post, remove } from '../../api.js';
import { confirmFirst, openDialog } from '../../dialog.js';
import { fill, h } from '../../dom.js';
import { ago, explain, plural, until } from '../../format.js';
import { icon } from '../../icons.js';
import { notify } from '../../notice.js';
import { nameOf } from '../../people.js';
import { secretDone, secretView } from '../../secret.js';
import { busy, empty, load } from '../../states.js';
import { table } from './table.js';

const TOKENS = '/api/auth/tokens';
const DAY_MS = 86_400_000;
const LIVES = { 90: '90 days', 30: '30 days', 365: 'a year' };
const WARN_WITHIN_MS = 14 * DAY_MS;

export function showTokens(place, signal) {
  const list = h('div', {});
  const create = h(
    'button',
    { class: 'button button-primary', on: { click: () => newToken().then((made) => made && read()) } },
    icon('key'),
    'New token',
  );
  const read = () =>
    load(list, signal, async () => {
      const { data } = await get(TOKENS, { limit: 100 }, { signal });
      if (data.length === 0)
        return empty(
          'key',
          'No service tokens',
          'Create a token for each machine that sends scans, such as your CI. Each token is shown once.',
        );
      const expiring = data.filter(expiresSoon).length;
      return [
        expiring > 0 &&
          h(
            'p',
            { class: 'banner banner-warning', role: 'status' },
            `${plural(expiring, 'token')} will expire within 14 days. Create replacements in time.`,
          ),
        table(
          'Service tokens',
          ['Name', 'Role', 'Last used', 'Expires', ''],
          h(
            'tbody',
            {},
            data.map((token) => tokenRow(token, read)),
          ),
        ),
      ];
    });
  fill(
    place,
    h(
      'div',
      { class: 'filter-row' },
      h(
        'p',
        { class: 'quiet grow' },
        'A service token lets a machine call the API without a password. A token stops working when it expires, when an admin revokes it, or when its creator is no longer an admin.',
      ),
      create,
    ),
    list,
  );
  read();
}

const expiresSoon = ({ expiresAt }) => new Date(expiresAt).getTime() - Date.now() <= WARN_WITHIN_MS;

function tokenRow(token, reread) {
  const { id, name, role, lastUsedAt, createdAt, createdBy, expiresAt } = token;
  const end = h(
    'button',
    { class: 'quiet-button', 'aria-label': `Revoke the token ${name}`, on: { click: stop } },
    'Revoke',
  );
  async function stop() {
    const text = 'Machines that use this token lose access at once.';
    if (!(await confirmFirst(`Revoke the token "${name}"?`, text, 'Revoke'))) return;
    try {
      await busy(end, () => remove(`${TOKENS}/${id}`));
      notify(`Revoked: ${name}.`);
      reread();
    } catch (error) {
      notify(explain(error), { tone: 'error' });
    }
  }
  return h(
    'tr',
    {},
    h(
      'td',
      {},
      h('strong', {}, name),
      h('small', {}, 'created ', ago(createdAt, 'ago'), ' by ', nameOf(createdBy)),
    ),
    h('td', {}, role),
    h('td', {}, lastUsedAt ? ago(lastUsedAt, 'ago') : h('span', { class: 'quiet' }, 'never')),
    h('td', {}, until(expiresAt), expiresSoon(token) && h('span', { class: 'tag tag-soon' }, 'soon')),
    h('td', { class: 'row-actions' }, end),
  );
}

function newToken() {
  return openDialog(
    'New service token',
    (close) => {
      const name = h('input', {
        id: 'token-name',
        required: true,
        maxlength: 100,
        autocomplete: 'off',
        autofocus: true,
      });
      const role = h(
        'select',
        { id: 'token-role', class: 'select' },
        h('option', { value: 'engineer' }, 'engineer: may send scans'),
        h('option', { value: 'viewer' }, 'viewer: may read'),
      );
      const life = h(
        'select',
        { id: 'token-life', class: 'select' },
        [90, 30, 365].map((days) => h('option', { value: days }, LIVES[days])),
      );
      const told = h('p', { class: 'form-error', role: 'alert', hidden: true });
      const submit = h('button', { class: 'button button-primary', type: 'submit' }, 'Create token');
      const form = h('form', { novalidate: true, on: { submit: make } });
      async function make(event) {
        event.preventDefault();
        const expiresAt = new Date(Date.now() + Number(life.value) * DAY_MS).toISOString();
        await busy(submit, async () => {
          try {
            const { data } = await post(TOKENS, { name: name.value.trim(), role: role.value, expiresAt });
            fill(
              form,
              madeView(data.token, () => close(true)),
            );
            form.querySelector('button').focus();
          } catch (error) {
            told.hidden = false;
            fill(told, explain(error));
            name.focus();
          }
        });
      }
      const field = (label, input, hint) =>
        h(
          'div',
          { class: 'field' },
          h('label', { for: input.id }, label),
          input,
          hint && h('p', { class: 'hint' }, hint),
        );
      fill(
        form,
        field('Name', name, 'Where the token will be used, such as ci-network.'),
        field('Role', role),
        field('Expires after', life),
        told,
        h(
          'div',
          { class: 'dialog-actions' },
          h('button', { class: 'button', type: 'button', on: { click: () => close() } }, 'Cancel'),
          submit,
        ),
      );
      return form;
    },
    { wide: true },
  );
}

function madeView(token, done) {
  return [
    secretView('token', token),
    h(
      'pre',
      { class: 'snippet' },
      'export DRIFTSENTRY_TOKEN=…\nterraform show -json plan |\n  driftsentry ingest - --stack prod',
    ),
    secretDone(done),
  ];
}
