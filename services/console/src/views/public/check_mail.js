// "Check your mail": takes the code from a mail, sends the mail again, and notices when its link is used elsewhere.

import { configOrUsual } from '../../config.js';
import { fill, h } from '../../dom.js';
import { field, form } from '../../fields.js';
import { explain, plural } from '../../format.js';
import { request } from '../../http.js';
import { say } from '../../notice.js';
import { busy } from '../../states.js';

const STATUS = '/api/auth/links/status';
const DIGITS = 6;
const POLL_MS = 2000;
const AGAIN_AFTER_SECONDS = 30;

/**
 * Returns the content of a card or dialog. `asked` is the response `{requestId, expiresAt}` to the request that sent
 * the mail, `send(proof, values)` completes the flow with the code, `again(place)` sends another mail and returns its
 * response, and `elsewhere()` is called when the link was used on another page. `fields` are more fields of the form,
 * and `correct()` shows the form with the address again.
 */
export function checkMail({ email, asked, action, fields = [], send, again, correct, elsewhere, signal }) {
  const ended = new AbortController();
  signal.addEventListener('abort', () => ended.abort());
  let current = asked;
  let isSending = false;
  const expired = h(
    'p',
    { class: 'banner banner-warning', role: 'alert', hidden: true },
    'This code has expired. Send the mail again.',
  );

  const code = codeInput(() => fields.length === 0 && entry.requestSubmit());
  const entry = form(
    [field('Code from the mail', code, 'Or open the link in the mail, on any device.'), fields],
    {
      action,
      tone: 'button-primary button-wide',
      async send({ code: digits, ...values }) {
        isSending = true;
        try {
          await send({ requestId: current.requestId, code: digits.replaceAll(/\D/g, '') }, values);
          ended.abort();
        } finally {
          isSending = false;
        }
      },
      // The code is the field to correct, although the form may have a password.
      blame: (error) => (error.details?.reason ? code : null),
    },
  );

  const resend = resendButton(ended.signal, async (place) => {
    current = await again(place);
    expired.hidden = true;
    entry.reset();
    code.focus();
    say('The mail was sent again.');
  });
  const isShown = () => entry.isConnected;
  poll(
    ended.signal,
    isShown,
    () => current.requestId,
    (status) => {
      if (isSending) return;
      if (status === 'expired') expired.hidden = false;
      if (status !== 'used') return;
      ended.abort();
      elsewhere();
    },
  );
  return [
    h(
      'p',
      {},
      'We sent a mail to ',
      h('strong', { class: 'breakable' }, email),
      '. It may take a minute. ',
      correct &&
        h('button', { class: 'link-button', type: 'button', on: { click: correct } }, 'Change the address'),
    ),
    expired,
    entry,
    resend,
    mailboxLink(),
  ];
}

/** Returns the input for a code, which calls `complete` when it has all digits. */
export function codeInput(complete = () => {}) {
  const input = h('input', {
    name: 'code',
    class: 'code-input',
    inputmode: 'numeric',
    autocomplete: 'one-time-code',
    spellcheck: 'false',
    required: true,
    maxlength: 12,
    placeholder: '123 456',
  });
  input.addEventListener('input', () => {
    const digits = input.value.replaceAll(/\D/g, '').slice(0, DIGITS);
    const shown = digits.length > 3 ? `${digits.slice(0, 3)} ${digits.slice(3)}` : digits;
    // Setting the value moves the cursor, so that it is set only if the user typed something else.
    if (input.value !== shown && input.selectionStart === input.value.length) input.value = shown;
    if (digits.length === DIGITS) complete();
  });
  return input;
}

/** The button is disabled for a while, because most mails arrive late rather than never. */
function resendButton(signal, send) {
  const place = h('div', {});
  const told = h('p', { class: 'form-error', role: 'alert', hidden: true });
  const button = h('button', { class: 'link-button', type: 'button', on: { click: press } });
  const line = h('p', { class: 'login-other' }, 'No mail? Look into the spam folder. ', button);
  let timer = 0;
  signal.addEventListener('abort', () => clearInterval(timer));
  function count(seconds) {
    let left = seconds;
    const tick = () => {
      button.disabled = left > 0;
      fill(button, left > 0 ? `Send again in ${plural(left, 'second')}` : 'Send again');
      if (left-- <= 0) clearInterval(timer);
    };
    clearInterval(timer);
    timer = setInterval(tick, 1000);
    tick();
  }
  async function press() {
    told.hidden = true;
    try {
      await busy(button, () => send(place));
      count(AGAIN_AFTER_SECONDS);
    } catch (error) {
      told.hidden = false;
      fill(told, explain(error));
      if (error.retryAfterSeconds) count(error.retryAfterSeconds);
    }
  }
  count(AGAIN_AFTER_SECONDS);
  return h('div', {}, line, place, told);
}

async function poll(signal, isShown, requestId, heard) {
  while (!signal.aborted) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    if (signal.aborted || !isShown()) return;
    const asked = requestId();
    // After a failure, the next turn asks again.
    const answer = await request('POST', STATUS, { body: { requestId: asked }, signal }).catch(() => null);
    if (!signal.aborted && isShown() && answer && asked === requestId()) heard(answer.data.status);
  }
}

/** In development, mails are only shown and not sent. */
export function mailboxLink() {
  const place = h('p', { class: 'login-other', hidden: true });
  configOrUsual().then(({ devMail }) => {
    place.hidden = !devMail;
    if (devMail)
      fill(
        place,
        h('a', { class: 'text-link', href: '#/dev-mail', target: '_blank' }, 'Open the development mailbox'),
      );
  });
  return place;
}
