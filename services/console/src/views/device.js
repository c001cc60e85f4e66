// Approves the login of a device without a browser, such as the command line, by the code that the device shows.

import { get, post } from '../api.js';
import { fill, h } from '../dom.js';
import { form, inputField } from '../fields.js';
import { ago, explain, until } from '../format.js';
import { notify } from '../notice.js';
import * as session from '../session.js';
import { busy, empty, load } from '../states.js';

const DEVICE = '/api/auth/device';
const APPROVED = ['check', 'Approved', 'The device is logged in now. You can close this page, and end its session under Account, Security.'];
const DENIED = ['cross', 'Denied', 'The device does not get a session.'];
const UNKNOWN = 'No login with this code waits for a decision. Check the code, or start the login again.';

/** Asks for the code, or shows the login of the code in the address. Removes the code from it, so that no history
 * keeps it. */
export function show(main, { query }, signal) {
  const code = query.get('code');
  if (code) history.replaceState(null, '', '#/device');
  const content = h('section', { class: 'panel panel-narrow panel-first' });
  fill(main, h('header', { class: 'view-head' }, h('h1', {}, 'Approve a login')), content);
  if (code) read(content, code, signal);
  else ask(content, signal);
}

function ask(content, signal, trouble) {
  const code = inputField(
    'Code',
    {
      name: 'code',
      class: 'code-input',
      placeholder: 'BCDF-GHJK',
      autocomplete: 'off',
      autocapitalize: 'characters',
      spellcheck: 'false',
      maxlength: 20,
      required: true,
    },
    'The eight letters that the device or the terminal shows.',
  );
  fill(
    content,
    trouble && h('p', { class: 'banner banner-warning', role: 'alert' }, trouble),
    form([code], {
      action: 'Continue',
      send: (values) => read(content, values.code, signal),
    }),
  );
}

function read(content, code, signal) {
  const path = `${DEVICE}/${encodeURIComponent(code.trim())}`;
  return load(
    content,
    signal,
    async () => {
      try {
        const { data } = await get(path);
        return question(content, path, data, signal);
      } catch (error) {
        if (!isUnknown(error)) throw error;
        const place = h('div', {});
        ask(place, signal, UNKNOWN);
        return place;
      }
    },
    { rows: 3 },
  );
}

/** The code is malformed, wrong, expired or decided. */
const isUnknown = (error) => [400, 404].includes(error.status);

function question(content, path, { name, ipAddress, createdAt, expiresAt }, signal) {
  const button = (text, tone, verb, outcome) => {
    const decide = async ({ currentTarget }) => {
      try {
        await busy(currentTarget, () => post(`${path}/${verb}`));
        fill(content, empty(...outcome));
      } catch (error) {
        if (isUnknown(error)) ask(content, signal, UNKNOWN);
        else notify(explain(error), { tone: 'error' });
      }
    };
    return h('button', { class: `button ${tone}`, on: { click: decide } }, text);
  };
  return [
    h(
      'dl',
      { class: 'facts' },
      fact('Device', name ?? 'Unnamed'),
      fact('IP address', ipAddress),
      fact('Started', ago(createdAt, 'ago')),
      fact('Expires', until(expiresAt)),
    ),
    h('p', {}, 'After the approval, this device acts as ', h('strong', {}, session.user().name), '.'),
    h(
      'p',
      { class: 'banner banner-warning', role: 'status' },
      'Approve only if you started this login yourself. Whoever sent you this address or code could act in your name.',
    ),
    h(
      'div',
      { class: 'state-actions' },
      button('Approve', 'button-primary', 'approve', APPROVED),
      button('Deny', '', 'deny', DENIED),
    ),
  ];
}

const fact = (name, value) => h('div', {}, h('dt', {}, name), h('dd', {}, value));
