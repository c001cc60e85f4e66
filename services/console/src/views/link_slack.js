// Links a Slack user, who pressed a button on a message, to the user of this page.

import { get, post, remove } from '../api.js';
import { fill, h } from '../dom.js';
import { explain, until } from '../format.js';
import { notify } from '../notice.js';
import * as session from '../session.js';
import { busy, empty, load } from '../states.js';

const LINKS = '/api/v1/notifications/slack/links';
const CODES = '/api/v1/notifications/slack/codes';
const TOKENS = '/api/auth/personal-tokens';

/** Shows the Slack user of the code in the address, and removes the code from it, so that no history keeps it. */
export function show(main, { query }, signal) {
  const code = query.get('code');
  if (code) history.replaceState(null, '', '#/link-slack');
  const content = h('div', {});
  const links = h('div', {});
  fill(
    main,
    h('header', { class: 'view-head' }, h('h1', {}, 'Link Slack user')),
    code && h('section', { class: 'panel panel-narrow panel-first' }, content),
    h('section', { class: 'panel panel-narrow' }, h('h2', {}, 'Linked Slack users'), links),
  );
  const read = () => load(links, signal, () => ownLinks(read), { rows: 2 });
  read();
  if (!code) return;
  load(content, signal, async () => {
    try {
      const { data } = await post(CODES, { code });
      return question(content, code, data, read);
    } catch (error) {
      if (error.status === 404) return unknown();
      throw error;
    }
  });
}

const unknown = () =>
  empty(
    'key',
    'The address has expired',
    'It works once, for 10 minutes. Press the button in Slack again to get another one.',
  );

function question(content, code, { slackUser, slackName, destination }, read) {
  const link = async ({ currentTarget: button }) => {
    try {
      await busy(button, () => create(code));
      fill(content, linked(slackName));
      read();
    } catch (error) {
      if (error.status === 404) fill(content, unknown());
      else notify(explain(error), { tone: 'error' });
    }
  };
  return [
    h(
      'p',
      {},
      'The Slack user ',
      h('strong', {}, slackName),
      ` (${slackUser}) pressed a button on a message to `,
      h('strong', {}, destination),
      '. After linking, this Slack user approves and rejects drifts as ',
      h('strong', {}, session.user().name),
      '.',
    ),
    h(
      'p',
      { class: 'banner banner-warning', role: 'status' },
      'Continue only if you pressed the button yourself a moment ago. Whoever sent you this address could decide in your name.',
    ),
    h('button', { class: 'button button-primary', on: { click: link } }, 'Link Slack user'),
  ];
}

/** Returns the list of the links of the user. */
async function ownLinks(read) {
  const { data } = await get(LINKS);
  if (data.length === 0)
    return h('p', { class: 'quiet' }, 'None. Press a button on a message in Slack to get the address that links you.');
  return h('ul', { class: 'sessions' }, data.map((link) => ownLink(link, read)));
}

function ownLink({ id, slackUser, slackName, expiresAt }, read) {
  const end = async ({ currentTarget: button }) => {
    try {
      await busy(button, () => remove(`${LINKS}/${id}`));
      notify(`Unlinked ${slackName}.`);
    } catch (error) {
      notify(explain(error), { tone: 'error' });
    }
    read();
  };
  return h(
    'li',
    { class: 'session' },
    h('p', { class: 'grow' }, `${slackName} (${slackUser}), link expires `, until(expiresAt)),
    h('button', { class: 'button', 'aria-label': `Unlink ${slackName}`, on: { click: end } }, 'Unlink'),
  );
}

/** Creates a token, and the link that keeps it. A token without a link is of no use, so it is revoked. */
async function create(code) {
  const { data } = await post(TOKENS, { name: 'Slack' });
  try {
    await post(LINKS, { code, token: data.token });
  } catch (error) {
    await remove(`${TOKENS}/${data.id}`).catch(() => {});
    throw error;
  }
}

const linked = (name) =>
  empty('check', 'Linked', `${name} now decides in your name. Go back to Slack and press the button again.`);
