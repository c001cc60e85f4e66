// The secret of a webhook, shown once.

import { h } from '../../dom.js';
import { exactTime } from '../../format.js';
import { secretDone, secretView } from '../../secret.js';

/** Returns the content of the dialog. Until `formerUntil`, the former secret signs too. */
export const signingSecret = (secret, formerUntil, close) => [
  secretView('signing secret', secret),
  h(
    'p',
    {},
    'Give it to the program that receives the webhook: it verifies the header ',
    h('code', {}, 'webhook-signature'),
    ' of each request with it.',
  ),
  formerUntil && h('p', {}, 'Requests are signed with the former secret too until ', exactTime(formerUntil), '.'),
  secretDone(close),
];
