// The comments on a drift, live, and the field for another one.

import { get, post, remove } from '../../api.js';
import { confirmFirst } from '../../dialog.js';
import { fill, h } from '../../dom.js';
import { ago, explain } from '../../format.js';
import { icon } from '../../icons.js';
import { onLive, throttled } from '../../live.js';
import { notify } from '../../notice.js';
import { nameOf } from '../../people.js';
import { isSendKey } from '../../send_key.js';
import * as session from '../../session.js';
import { busy } from '../../states.js';
import { deleteDraft, draftOf, keepDraft } from './drafts.js';

const PAGE = 20;
const OFTEN_MS = 150;
const LONGEST = 4000;

/** Returns the section of comments of the drift with this id. */
export function commentsArea(id, signal) {
  const path = `/api/v1/drifts/${id}/comments`;
  let wanted = PAGE;
  const list = h('ol', { class: 'comments', 'aria-label': 'Comments' });
  const older = h(
    'button',
    { class: 'link-button', type: 'button', hidden: true, on: { click: readOlder } },
    'Older comments',
  );
  const told = h('p', { class: 'form-error', role: 'alert', hidden: true });

  async function read() {
    try {
      const items = [];
      let cursor;
      do {
        const { data, page } = await get(path, { limit: PAGE, cursor }, { signal });
        items.push(...data);
        cursor = page.nextCursor;
      } while (cursor && items.length < wanted);
      older.hidden = !cursor;
      fill(list, items.toReversed().map(entry));
    } catch (error) {
      if (!signal.aborted) fill(list, h('li', {}, `The comments cannot be shown. ${explain(error)}`));
    }
  }

  function readOlder() {
    wanted += PAGE;
    return busy(older, read);
  }

  function entry({ id: comment, by, at, text }) {
    const mayDelete = session.may('admin') || (session.may('engineer') && by === session.user().id);
    const erase = async () => {
      if (!(await confirmFirst('Delete the comment?', text.slice(0, 200), 'Delete comment'))) return;
      try {
        await remove(`${path}/${comment}`);
      } catch (error) {
        notify(explain(error), { tone: 'error' });
      }
      await read();
    };
    return h(
      'li',
      { class: 'comment', data: { comment } },
      h(
        'p',
        { class: 'comment-head' },
        h('strong', {}, nameOf(by)),
        ' ',
        ago(at, 'ago'),
        mayDelete &&
          h(
            'button',
            { class: 'icon-button', type: 'button', 'aria-label': 'Delete the comment', on: { click: erase } },
            icon('close'),
          ),
      ),
      h('p', { class: 'comment-text' }, text),
    );
  }

  function composer() {
    const draft = `comment:${id}`;
    const input = h('textarea', {
      id: 'comment',
      rows: 2,
      maxlength: LONGEST,
      value: draftOf(draft),
      'aria-keyshortcuts': 'Control+Enter',
      on: { input: () => keepDraft(draft, input.value) },
    });
    const submit = h('button', { class: 'button' }, 'Comment');
    const send = (event) => {
      event.preventDefault();
      const text = input.value.trim();
      if (!text) return input.focus();
      return busy(submit, async () => {
        try {
          await post(path, { text });
          input.value = '';
          deleteDraft(draft);
          told.hidden = true;
        } catch (error) {
          told.hidden = false;
          fill(told, explain(error));
        }
        await read();
      });
    };
    input.addEventListener('keydown', (event) => {
      if (isSendKey(event)) send(event);
    });
    return h(
      'form',
      { class: 'composer', on: { submit: send } },
      h('div', { class: 'field' }, h('label', { for: input.id }, 'Comment'), input),
      told,
      h(
        'div',
        { class: 'composer-end' },
        h('p', { class: 'hint' }, h('kbd', {}, 'Ctrl Enter'), ' sends'),
        submit,
      ),
    );
  }

  const again = throttled(OFTEN_MS, read, signal);
  const concerns = (events) => events.some(({ payload }) => payload.id === id);
  for (const type of ['drift:commented', 'drift:uncommented'])
    onLive(type, (events) => concerns(events) && again(), signal);
  onLive('resync', again, signal);
  read();
  return h(
    'section',
    { class: 'detail-section' },
    h('header', {}, h('h3', {}, 'Comments'), older),
    list,
    session.may('engineer') && composer(),
  );
}
