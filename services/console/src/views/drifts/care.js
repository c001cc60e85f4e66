// Who takes care of a drift: assignee, ticket, snooze and watchers.

import { patch, put, remove } from '../../api.js';
import { openDialog } from '../../dialog.js';
import { fill, h } from '../../dom.js';
import { exactTime, explain, plural } from '../../format.js';
import { cancel, form, inputField } from '../../fields.js';
import { notify } from '../../notice.js';
import { nameOf } from '../../people.js';
import * as session from '../../session.js';
import { busy } from '../../states.js';
import { choosePerson } from './choose_person.js';
import { menu } from './menu.js';
import { dayAhead, endOfDay } from './until.js';

const HOUR_MS = 3_600_000;
const LONGEST_SNOOZE_DAYS = 89;
const MORNING = 8;

/** Returns the section, and the function that shows a drift in it. `reread` shows the drift again. */
export function careArea(path, { reread, signal }) {
  const rows = h('dl', { class: 'care' });
  const element = h(
    'section',
    { class: 'detail-section', 'aria-label': 'Care' },
    h('header', {}, h('h3', {}, 'Care')),
    rows,
  );
  let shown = null;

  const run = (button, work) =>
    busy(button, async () => {
      try {
        await work();
      } catch (error) {
        notify(explain(error), { tone: 'error' });
      }
      await reread();
    });
  const change = (fields) =>
    patch(path, fields, { headers: { 'if-match': `"v${shown.version}"` } });
  const button = (label, work) =>
    h(
      'button',
      { class: 'button', type: 'button', on: { click: ({ currentTarget }) => run(currentTarget, work) } },
      label,
    );

  async function assign() {
    const id = await choosePerson('Assign to');
    if (id) await change({ assigneeId: id });
  }

  function assignee({ assigneeId }) {
    const me = session.user().id;
    return [
      assigneeId ? nameOf(assigneeId) : 'nobody',
      isChangeable() && [
        assigneeId !== me && button('Assign to me', () => change({ assigneeId: me })),
        button('Assign', assign),
        assigneeId && button('Unassign', () => change({ assigneeId: null })),
      ],
    ];
  }

  async function editTicket() {
    const isDone = await openDialog('Ticket', (close) =>
      form(
        [
          inputField(
            'Page of the ticket',
            {
              name: 'ticketUrl',
              type: 'url',
              value: shown.ticketUrl ?? '',
              maxlength: 500,
              autocomplete: 'off',
            },
            'Begins with https://. Empty removes it.',
          ),
        ],
        {
          action: 'Save',
          dialog: true,
          beside: cancel(close),
          send: async ({ ticketUrl }) => {
            await change({ ticketUrl: ticketUrl.trim() || null });
            close(true);
          },
        },
      ),
    );
    return isDone;
  }

  function ticket({ ticketUrl }) {
    return [
      ticketUrl
        ? h('a', { href: ticketUrl, target: '_blank', rel: 'noopener noreferrer' }, nameOfTicket(ticketUrl))
        : 'none',
      isChangeable() && button(ticketUrl ? 'Edit' : 'Add a ticket', editTicket),
    ];
  }

  function snooze({ snoozedUntil }) {
    if (snoozedUntil)
      return [
        'until ',
        exactTime(snoozedUntil),
        isChangeable() && button('End the snooze', () => change({ snoozedUntil: null })),
      ];
    if (!isChangeable() || shown.status !== 'detected') return 'no';
    const until = (label, time) => button(label, () => change({ snoozedUntil: time() }));
    const day = h('input', {
      id: 'snooze-day',
      type: 'date',
      value: dayAhead(14),
      min: dayAhead(0),
      max: dayAhead(LONGEST_SNOOZE_DAYS),
    });
    return menu(
      'Snooze',
      [
        until('1 hour', () => new Date(Date.now() + HOUR_MS).toISOString()),
        until('Until tomorrow', () => morning(1)),
        until('Until next week', () => morning(daysToMonday())),
        h('div', { class: 'field' }, h('label', { for: day.id }, 'Until the end of'), day),
        until('Snooze until that day', () => endOfDay(day.value)),
      ],
      signal,
    );
  }

  function watch({ watchers, isWatched }) {
    const others = watchers.length - (isWatched ? 1 : 0);
    const people = isWatched
      ? `you${others > 0 ? ` and ${plural(others, 'other person').replace('persons', 'people')}` : ''}`
      : others > 0
        ? plural(others, 'person').replace('persons', 'people')
        : 'nobody';
    return [
      people,
      isWatched
        ? button('Stop watching', () => remove(`${path}/watch`))
        : button('Watch', () => put(`${path}/watch`)),
    ];
  }

  const isChangeable = () => session.may('engineer') && shown.status !== 'resolved';

  return {
    element,
    show(drift) {
      shown = drift;
      // A reader without an account, and a server of another version, show no watchers.
      element.hidden = !drift.watchers;
      if (element.hidden) return;
      const at = [...rows.querySelectorAll('button, summary')].indexOf(document.activeElement);
      const parts = { Assignee: assignee, Ticket: ticket, Snoozed: snooze, Watchers: watch };
      fill(
        rows,
        Object.entries(parts).map(([name, part]) => h('div', {}, h('dt', {}, name), h('dd', {}, part(drift)))),
      );
      // The focused control was replaced by a new one.
      if (at >= 0) {
        const controls = [...rows.querySelectorAll('button, summary')];
        (controls[at] ?? controls.at(-1))?.focus({ preventScroll: true });
      }
    },
  };
}

/** The last part of the path says most: `OPS-1`. */
function nameOfTicket(url) {
  const { hostname, pathname } = new URL(url);
  return pathname.split('/').filter(Boolean).at(-1) ?? hostname;
}

function morning(days) {
  const day = new Date();
  day.setDate(day.getDate() + days);
  day.setHours(MORNING, 0, 0, 0);
  return day.toISOString();
}

const daysToMonday = () => (8 - new Date().getDay()) % 7 || 7;
