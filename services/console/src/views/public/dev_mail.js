// The development mailbox: a server in development without SMTP keeps its mails here instead of sending them.

import { fill, h } from '../../dom.js';
import { ago } from '../../format.js';
import { request } from '../../http.js';
import { say } from '../../notice.js';
import { empty, failed, skeleton } from '../../states.js';
import { setTitle } from '../../title.js';
import { link } from './card.js';

const MAIL = '/api/auth/dev/mail';
const POLL_MS = 3000;
const ADDRESS = /(https?:\/\/[^\s<>"]+[^\s<>".,;:!?)])/;

export async function show(app, page, signal) {
  setTitle('Development mailbox');
  const place = h('div', {}, skeleton(4));
  const heading = h('h1', { tabindex: '-1' }, 'Development mailbox');
  fill(
    app,
    h(
      'main',
      { class: 'view mailbox' },
      h(
        'header',
        { class: 'view-head' },
        heading,
        h('span', { class: 'quiet' }, 'This server sends no mail. It shows all mail here.'),
      ),
      place,
      h('p', { class: 'mailbox-end' }, link('overview', 'Go to the console')),
    ),
  );
  heading.focus();
  const shown = new Map();
  while (!signal.aborted) {
    await read(place, shown, signal);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function read(place, shown, signal) {
  try {
    const { data } = await request('GET', MAIL, { signal });
    if (signal.aborted) return;
    const fresh = data.filter(({ id }) => !shown.has(id));
    if (data.length === 0)
      fill(place, empty('alerts', 'No mail yet', 'Mails appear here as soon as the server writes them.'));
    if (fresh.length === 0) return;
    if (shown.size > 0) say('New mail');
    const isFirst = shown.size === 0;
    for (const mail of fresh) shown.set(mail.id, mailView(mail));
    // Most people come for the newest mail.
    if (isFirst) shown.get(data[0].id).firstChild.open = true;
    // The open mails stay open: elements that are already there are only moved.
    fill(
      place,
      h(
        'ol',
        { class: 'mails' },
        data.map(({ id }) => shown.get(id)),
      ),
    );
  } catch (error) {
    if (signal.aborted || shown.size > 0) return;
    const missing = {
      ...error,
      status: 404,
      message: 'Only a development server without SMTP has this mailbox.',
    };
    fill(
      place,
      failed(error.status === 404 ? missing : error, () => read(place, shown, signal)),
    );
  }
}

function mailView({ to, subject, text, html, sentAt }) {
  const body = h('div', { class: 'mail-body' });
  const details = h(
    'details',
    { class: 'mail' },
    h('summary', {}, h('strong', {}, subject), h('span', { class: 'quiet' }, 'to ', to), ago(sentAt, 'ago')),
    body,
  );
  // A frame costs a document, so that only opened mails have one.
  details.addEventListener('toggle', () => {
    if (details.open && body.childNodes.length === 0)
      fill(body, h('pre', { class: 'mail-text' }, linked(text)), html && frame(html));
  });
  return h('li', {}, details);
}

/** Turns the addresses in a text into links. */
const linked = (text) =>
  text
    .split(ADDRESS)
    .map((part, at) => (at % 2 ? h('a', { href: part, target: '_blank', rel: 'noopener' }, part) : part));

/** Shows HTML without scripts. The policy of the page forbids styles in the text of a document, even of a parsed one.
 * They are renamed before parsing, and set through the object model. */
function frame(html) {
  const renamed = html.replaceAll(/<(\/?)style\b/gi, '<$1template').replaceAll(/\sstyle=/gi, ' data-style=');
  const mail = new DOMParser().parseFromString(renamed, 'text/html');
  const sheets = [...mail.querySelectorAll('template')].map(({ content }) => content.textContent);
  for (const anchor of mail.querySelectorAll('a'))
    Object.assign(anchor, { target: '_blank', rel: 'noopener' });
  const element = h('iframe', {
    class: 'mail-frame',
    title: 'The mail as HTML',
    sandbox: 'allow-same-origin allow-popups allow-popups-to-escape-sandbox',
    srcdoc: mail.documentElement.outerHTML,
  });
  element.addEventListener('load', () => {
    const { contentDocument: inside, contentWindow: own } = element;
    for (const styled of inside.querySelectorAll('[data-style]')) styled.style.cssText = styled.dataset.style;
    inside.adoptedStyleSheets = sheets.map((text) => {
      const sheet = new own.CSSStyleSheet();
      sheet.replaceSync(text);
      return sheet;
    });
    element.style.height = `${inside.documentElement.scrollHeight + 2}px`;
  });
  return element;
}
