// The page of a link from a mail: says what the click will do, and does it only after the click. Programs that
// open every link of a mail therefore use none up.

import { go } from '../../address.js';
import { h } from '../../dom.js';
import { form } from '../../fields.js';
import { atMoment } from '../../format.js';
import { request } from '../../http.js';
import * as session from '../../session.js';
import { failed, skeleton } from '../../states.js';
import { buttonLink, card, done, fillCard, typed } from './card.js';
import { LINKS } from './links.js';

const TROUBLE = {
  used: 'This link was already used',
  expired: 'This link has expired',
  revoked: 'This link is no longer valid',
};

export function show(app, { name, token, restored }, signal) {
  const kind = LINKS[name];
  const place = card(app, kind.title);
  if (token) return describe(place, kind, { token, restored }, signal);
  if (kind.withoutToken) return enter(place, kind, kind.withoutToken(), {}, signal);
  return trouble(
    place,
    kind,
    'This link is not complete',
    'Open the link in the mail again, or copy all of it.',
  );
}

async function describe(place, kind, visit, signal) {
  place.replaceChildren(skeleton(2));
  try {
    const { token, restored } = visit;
    const show = request('POST', '/api/auth/links/show', { body: { token }, signal });
    const [{ data }] = await Promise.all([show, restored]);
    if (signal.aborted) return;
    enter(place, kind, kind.describe(data), { token, ...data }, signal);
  } catch (error) {
    if (signal.aborted) return;
    if (error.details?.reason) badProof(place, kind, error);
    else place.replaceChildren(failed(error, () => describe(place, kind, visit, signal)));
  }
}

/** Shows the page before the click. `known` has the token and the description of the link. */
function enter(place, kind, { heading, text, fields = [], hint }, known, signal) {
  const { token, email, expiresAt } = known;
  const send = async (values) => {
    const body = { ...(token && { token }), ...trimmed(values) };
    if (kind.logsIn) {
      await session.logIn(kind.path, body);
      return go('/overview', undefined, { replace: true });
    }
    const { data } = await request('POST', kind.path, { body });
    if (email) typed.email = data.email ?? email;
    if (!signal.aborted) finish(place, kind, data);
  };
  const entry = form(fields, {
    action: kind.action,
    tone: kind.isDangerous ? 'button-danger button-wide' : 'button-primary button-wide',
    blame: (error) => (error.details?.reason ? entry.elements.code : null),
    async send(values) {
      try {
        await send(values);
      } catch (error) {
        // Without a token, the code can be corrected.
        if (!token || !error.details?.reason) throw error;
        if (!signal.aborted) badProof(place, kind, error);
      }
    },
  });
  const who = kind.logsIn && session.user();
  fillCard(
    place,
    heading,
    h('p', {}, text),
    who &&
      who.email !== email &&
      h('p', { class: 'banner' }, `You are logged in as ${who.email} in this browser.`),
    entry,
    hint && h('p', { class: 'hint' }, hint),
    expiresAt && h('p', { class: 'hint' }, `Valid until ${atMoment(expiresAt)}.`),
  );
  if (fields.length === 0) entry.querySelector('button').focus();
}

/** Codes are copied with spaces in them, and addresses with spaces around them. */
function trimmed({ code, email, ...values }) {
  return {
    ...values,
    ...(code && { code: code.replaceAll(/\D/g, '') }),
    ...(email && { email: email.trim() }),
  };
}

function finish(place, kind, data) {
  const { heading, text, onward } = kind.done(data);
  done(place, heading, text, onward ?? buttonLink('overview', session.user() ? 'Continue' : 'Log in'));
}

function badProof(place, kind, error) {
  trouble(place, kind, TROUBLE[error.details.reason] ?? 'This link is not valid', error.message);
}

function trouble(place, kind, heading, text) {
  const sentence = /[.!?]$/.test(text) ? text : `${text}.`;
  fillCard(
    place,
    heading,
    h('p', { class: 'banner banner-warning', role: 'alert' }, sentence[0].toUpperCase() + sentence.slice(1)),
    kind.onward(),
  );
}
