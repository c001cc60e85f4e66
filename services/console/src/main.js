// The page: a public page if the address is one, else the login form while no user is signed in, else the shell.

import { followActivity } from './activity.js';
import { fill, h } from './dom.js';
import { explain } from './format.js';
import { onLive } from './live.js';
import { publicPage } from './router.js';
import { sendFormsByKey } from './send_key.js';
import * as session from './session.js';
import { openShell } from './shell.js';
import * as socket from './socket.js';
import { applyTheme } from './theme.js';

const app = document.getElementById('app');
let period = new AbortController();
let isPublic = false;
/** Settled once it is known who is logged in. */
let restored = Promise.resolve();

/** Ends what is shown, and returns the signal of what is shown next. */
function nextPeriod() {
  period.abort();
  period = new AbortController();
  return period.signal;
}

function signedIn() {
  // A public page leads on by itself when it is done.
  if (isPublic) return;
  const signal = nextPeriod();
  followActivity(signal);
  // Only a new token has the new role.
  onLive('auth:user.updated', () => session.renew().catch(() => {}), signal);
  openShell(app, signal);
}

async function signedOut(reason) {
  if (isPublic) return;
  const signal = nextPeriod();
  const { showLogin } = await import('./views/login.js');
  // The user may have signed in again in the meantime, perhaps in another tab.
  if (!signal.aborted) showLogin(app, { reason, signal });
}

async function begin() {
  try {
    const ended = await session.restore();
    if (!session.user()) await signedOut(ended);
  } catch (error) {
    if (!isPublic) unavailable(error, begin);
  }
}

async function showPublic(page) {
  const signal = nextPeriod();
  try {
    const { show } = await page.load();
    if (!signal.aborted) show(app, { ...page, restored }, signal);
  } catch (error) {
    if (!signal.aborted) unavailable(error, () => showPublic(page));
  }
}

function unavailable(error, again) {
  fill(
    app,
    h(
      'main',
      { class: 'alone' },
      h('h1', {}, 'No connection'),
      h('p', {}, explain(error)),
      h('button', { class: 'button button-primary', on: { click: again } }, 'Try again'),
    ),
  );
}

/** Shows the page of the address. */
function arrive(page) {
  isPublic = page !== null;
  if (page) showPublic(page);
  else if (session.user()) signedIn();
  else begin();
}

/** Another user signed in: nothing on this page belongs to them. */
function replaced() {
  if (isPublic) history.replaceState(null, '', '#/overview');
  location.reload();
}

applyTheme();
sendFormsByKey();
session.on('started', signedIn);
session.on('changed', signedIn);
session.on('replaced', replaced);
session.on('ended', ({ reason }) => signedOut(reason));
// Registered before the listener of the shell, which leaves addresses alone that lead out of it.
addEventListener('hashchange', () => {
  const page = publicPage();
  if (page || isPublic) arrive(page);
});
socket.start();
const first = publicPage();
// A public page works without a session, or without knowing whether there is one.
if (first) restored = session.restore().catch(() => {});
arrive(first);
