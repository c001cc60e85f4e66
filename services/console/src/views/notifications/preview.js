// The preview of a message: as the receiver would see it, about a recent event.

import { get, post } from '../../api.js';
import { fill, h } from '../../dom.js';
import { selectField } from '../../fields.js';
import { atMoment, explain } from '../../format.js';
import { NOTIFICATIONS } from './words.js';

const PAUSE_MS = 400;

/**
 * Returns the preview, and a function that shows another message after a pause. `input` is the field of the template,
 * and `kind()` the kind of the destination.
 */
export function previewArea(input, kind, signal) {
  let timer = 0;
  let reading = new AbortController();
  const told = h('p', { class: 'form-error', role: 'status', hidden: true });
  const shown = h('div', { class: 'preview', role: 'region', 'aria-label': 'Preview of the message' });
  const choice = selectField('Preview with', { class: 'select preview-event' }, [['', 'a sample']]);
  const select = choice.querySelector('select');
  select.addEventListener('change', again);
  signal.addEventListener('abort', () => clearTimeout(timer));

  function again() {
    clearTimeout(timer);
    timer = setTimeout(read, PAUSE_MS);
  }

  async function read() {
    reading.abort();
    reading = new AbortController();
    const body = { kind: kind(), template: input.value.trim() ? input.value : null, eventId: select.value || null };
    try {
      const asked = { signal: AbortSignal.any([reading.signal, signal]) };
      const { data } = await post(`${NOTIFICATIONS}/preview`, body, asked);
      fill(shown, messageView(data.message));
      complain(null);
    } catch (error) {
      if (!reading.signal.aborted && !signal.aborted) complain(error.field?.('template') ?? explain(error));
    }
  }

  function complain(text) {
    told.hidden = text === null;
    fill(told, text);
    shown.classList.toggle('is-stale', text !== null);
    if (text === null) input.removeAttribute('aria-invalid');
    else input.setAttribute('aria-invalid', 'true');
  }

  /** Offers the recent events, and begins with the newest drift. */
  async function offer() {
    try {
      const { data } = await get(`${NOTIFICATIONS}/events`, {}, { signal });
      select.append(
        ...data.map(({ id, title, at }) => h('option', { value: id }, `${title.slice(0, 80)}, ${atMoment(at)}`)),
      );
      const first = data.find(({ type }) => type === 'drift:created') ?? data[0];
      if (first) select.value = first.id;
    } catch {
      // The sample remains.
    }
    if (!signal.aborted) read();
  }

  offer();
  return { element: [told, choice, shown], again };
}

function messageView(message) {
  if (message === null) return h('p', { class: 'quiet' }, 'The destination gets no message about this event.');
  const [, linesOf] = FORMS.find(([name]) => name in message) ?? [];
  if (!linesOf) return h('pre', { class: 'snippet', tabindex: '0' }, JSON.stringify(message, null, 2));
  return linesOf(message).map(([isTitle, text]) => h('p', { class: isTitle ? 'preview-title' : null }, text));
}

/** A property that only messages of one form have, and the lines of these: of Slack, of Teams, and of mails. */
const FORMS = [
  [
    'blocks',
    ({ blocks }) =>
      blocks.flatMap(({ type, text, fields }) =>
        fields ? pairs(fields) : text ? [[type === 'header', slackText(text)]] : [],
      ),
  ],
  [
    'attachments',
    ({ attachments: [{ content }] }) => [
      ...content.body.map(({ inlines }) => [
        inlines[0]?.size === 'medium',
        inlines.map(({ text }) => text).join(''),
      ]),
      ...(content.actions ?? []).map(({ title }) => [false, title]),
    ],
  ],
  [
    'subject',
    ({ subject, text }) => [
      [true, subject],
      [false, text],
    ],
  ],
];

/** Returns a line for each label and its value. */
const pairs = (fields) =>
  Array.from({ length: Math.ceil(fields.length / 2) }, (_, at) => [
    false,
    fields
      .slice(2 * at, 2 * at + 2)
      .map(slackText)
      .join(' ')
      .replaceAll('*', ''),
  ]);

/** Returns the text of links, and the characters that Slack escapes. */
const slackText = ({ text }) =>
  text
    .replace(/<([^|>]+)\|([^>]*)>/g, '$2')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
