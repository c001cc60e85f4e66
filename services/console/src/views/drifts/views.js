// Saved views of the list: filters, order and columns under a name, for oneself or for everybody.

import { get, patch, post, remove } from '../../api.js';
import { go } from '../../address.js';
import { openDialog } from '../../dialog.js';
import { fill, h } from '../../dom.js';
import { cancel, form, inputField } from '../../fields.js';
import { explain } from '../../format.js';
import { notify } from '../../notice.js';
import { nameOf } from '../../people.js';
import * as session from '../../session.js';
import { busy } from '../../states.js';
import { columnsOf } from './columns.js';
import { menu } from './menu.js';

export const VIEWS = '/api/v1/views';
const LONGEST_NAME = 80;

/** Opens a saved view. */
export const openView = ({ query }) => go('/drifts', new URLSearchParams(query));

/** Returns the menu; `query()` is the query in the address. */
export function viewsMenu(query, signal) {
  const content = h('div', { class: 'views' });
  const element = menu('Views', content, signal);
  element.classList.add('views-menu');
  element.addEventListener('toggle', () => element.open && read());

  async function read() {
    try {
      const { data } = await get(VIEWS, {}, { signal });
      draw(data);
    } catch (error) {
      if (!signal.aborted) fill(content, h('p', { class: 'form-error', role: 'alert' }, explain(error)));
    }
  }

  function draw(views) {
    const isMine = ({ ownerId }) => ownerId === session.user().id;
    const [mine, others] = [views.filter(isMine), views.filter((view) => !isMine(view))];
    fill(
      content,
      section('My views', mine, (view) => entry(view, ownActions(view))),
      section('Shared by others', others, (view) =>
        entry(view, session.may('admin') && [deleteButton(view)], h('small', {}, 'by ', nameOf(view.ownerId))),
      ),
      views.length === 0 && h('p', { class: 'quiet' }, 'A view keeps the filters, the order and the columns of the list.'),
      h('button', { class: 'button', on: { click: save } }, 'Save this view'),
    );
  }

  const section = (title, views, line) =>
    views.length > 0 && [h('h3', {}, title), h('ul', { 'aria-label': title }, views.map(line))];

  const entry = (view, actions, note) =>
    h(
      'li',
      { data: { view: view.id } },
      h('button', { class: 'view-open', on: { click: () => leave(() => openView(view)) } }, view.name, note),
      view.isShared && view.ownerId === session.user().id && h('span', { class: 'tag' }, 'shared'),
      actions,
    );

  const ownActions = (view) => [
    session.may('engineer') &&
      action(view.isShared ? 'Stop sharing' : 'Share', view, () =>
        patch(`${VIEWS}/${view.id}`, { isShared: !view.isShared }),
      ),
    h(
      'button',
      { class: 'quiet-button', 'aria-label': `Rename ${view.name}`, on: { click: () => rename(view) } },
      'Rename',
    ),
    deleteButton(view),
  ];

  const deleteButton = (view) => action('Delete', view, () => remove(`${VIEWS}/${view.id}`));

  const action = (label, view, work) => {
    const run = async () => {
      try {
        await work();
      } catch (error) {
        notify(explain(error), { tone: 'error' });
      }
      await read();
      // The pressed button is gone.
      if (document.activeElement === document.body) element.firstChild.focus();
    };
    const button = h(
      'button',
      { class: 'quiet-button', 'aria-label': `${label}: ${view.name}`, on: { click: () => busy(button, run) } },
      label,
    );
    return button;
  };

  function leave(next) {
    element.open = false;
    element.firstChild.focus();
    next();
  }

  const save = () =>
    leave(() =>
      openDialog('Save this view', (close) =>
        nameForm(close, {
          action: 'Save',
          isShareable: session.may('engineer'),
          send: async ({ name, shared }) => {
            await post(VIEWS, { name: name.trim(), query: sharedQuery(), isShared: shared === 'on' });
            notify(`View saved: ${name.trim()}`);
          },
        }),
      ),
    );

  const rename = (view) =>
    leave(() =>
      openDialog('Rename the view', (close) =>
        nameForm(close, {
          action: 'Rename',
          name: view.name,
          send: ({ name }) => patch(`${VIEWS}/${view.id}`, { name: name.trim() }),
        }),
      ),
    );

  /** Returns the query in the address, with the columns of this device. */
  function sharedQuery() {
    const shared = new URLSearchParams(query());
    shared.set('columns', columnsOf(shared).join(','));
    return shared.toString();
  }

  return element;
}

function nameForm(close, { action, name = '', isShareable = false, send }) {
  const shared = h('input', { type: 'checkbox', name: 'shared', id: 'view-shared' });
  return form(
    [
      inputField('Name', { name: 'name', value: name, maxlength: LONGEST_NAME, required: true, autocomplete: 'off' }),
      isShareable &&
        h('div', { class: 'check' }, shared, h('label', { for: shared.id }, 'Share it with everybody who can log in')),
    ],
    {
      action,
      dialog: true,
      beside: cancel(close),
      send: async (values) => {
        await send(values);
        close();
      },
    },
  );
}
