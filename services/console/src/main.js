// The page: the login form while no user is signed in, else the shell.

import { followActivity } from './activity.js';
import { fill, h } from './dom.js';
import { explain } from './format.js';
import { onLive } from './live.js';
import * as session from './session.js';
import { openShell } from './shell.js';
import * as socket from './socket.js';
import { applyTheme } from './theme.js';

const app = document.getElementById('app');
let period = new AbortController();

function signedIn() {
  period.abort();
  period = new AbortController();
  followActivity(period.signal);
  // Only a new token has the new role.
  onLive('auth:user.updated', () => session.renew().catch(() => {}), period.signal);
  openShell(app, period.signal);
}

async function signedOut(reason) {
  period.abort();
  const { showLogin } = await import('./views/login.js');
  // The user may have signed in again in the meantime, perhaps in another tab.
  if (!session.user()) showLogin(app, reason);
}

async function begin() {
  try {
    const ended = await session.restore();
    if (!session.user()) await signedOut(ended);
  } catch (error) {
    fill(
      app,
      h(
        'main',
        { class: 'alone' },
        h('h1', {}, 'No connection'),
        h('p', {}, explain(error)),
        h('button', { class: 'button button-primary', on: { click: begin } }, 'Try again'),
      ),
    );
  }
}

applyTheme();
session.on('started', signedIn);
session.on('changed', signedIn);
session.on('ended', ({ reason }) => signedOut(reason));
socket.start();
begin();
