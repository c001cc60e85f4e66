import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';

import { eventually } from './waiting.mjs';

/** A private Slack workspace with one channel. It keeps the messages, and sends signed requests when a person presses a button. */
export class Slack {
  secret = '0123456789abcdef0123456789abcdef';
  token = 'xoxb-of-the-tests';
  /** The messages of the channel, oldest first. */
  messages = [];
  /** Texts that only one person sees: `{user, text}`. */
  told = [];
  #server = createServer((request, response) => this.#answer(request, response));

  static async start() {
    const slack = new Slack();
    slack.#server.listen(0, '127.0.0.1');
    await once(slack.#server, 'listening');
    slack.url = `http://127.0.0.1:${slack.#server.address().port}`;
    return slack;
  }

  stop() {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  get target() {
    const { token: botToken, secret: signingSecret } = this;
    return { kind: 'slackApp', botToken, signingSecret, channel: '#drifts', apiUrl: `${this.url}/api` };
  }

  /** Presses a button as a person, and returns the response of the request URL. */
  press(requestUrl, user, button, username = user.toLowerCase()) {
    const payload = {
      type: 'block_actions',
      user: { id: user, username, team_id: 'T1' },
      actions: [{ type: 'button', block_id: 'decision', ...button }],
      response_url: `${this.url}/actions/${user}`,
    };
    const body = new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
    return send(requestUrl, signed(this.secret, body));
  }

  /** Waits until a person was told another text, and returns it. */
  async textTo(user, before) {
    const texts = () => this.told.filter((text) => text.user === user);
    await eventually(`a text to ${user}`, () => texts().length > before);
    return texts()[before].text;
  }

  async #answer(request, response) {
    const chunks = await request.toArray();
    const body = JSON.parse(Buffer.concat(chunks).toString());
    const respond = (value) => response.setHeader('content-type', 'application/json').end(JSON.stringify(value));
    const [, place, name] = request.url.split('/');
    if (place === 'actions') {
      this.told.push({ user: name, ...body });
      return respond({ ok: true });
    }
    if (request.headers.authorization !== `Bearer ${this.token}`) return respond({ ok: false, error: 'invalid_auth' });
    const known = this.messages.find((message) => message.ts === body.ts);
    if (name === 'chat.postMessage') {
      this.messages.push({ ...body, ts: `1700000000.${String(this.messages.length).padStart(6, '0')}` });
    } else if (name === 'chat.update' && known && body.channel === 'C0123456789') {
      Object.assign(known, body);
    } else {
      return respond({ ok: false, error: 'message_not_found' });
    }
    const { ts } = known ?? this.messages.at(-1);
    return respond({ ok: true, channel: 'C0123456789', ts, message: body });
  }
}

/** Returns the parts of a request, signed as Slack documents it. */
export function signed(secret, body, seconds = Math.floor(Date.now() / 1000)) {
  const hash = createHmac('sha256', secret).update(`v0:${seconds}:${body}`).digest('hex');
  return { body, timestamp: String(seconds), signature: `v0=${hash}` };
}

/** Sends a request as Slack does. */
export function send(url, { body, timestamp, signature }) {
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    'x-slack-request-timestamp': timestamp,
    'x-slack-signature': signature,
  };
  return fetch(url, { method: 'POST', headers, body });
}

/** Returns the buttons of a message by their action. */
export function buttons(message) {
  const actions = message.blocks.find((block) => block.type === 'actions');
  return Object.fromEntries((actions?.elements ?? []).map((button) => [button.action_id, button]));
}
