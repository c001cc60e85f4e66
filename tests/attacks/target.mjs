// A deployment under attack. The optional fields decide which attacks are possible.

import { connect } from 'node:net';
import { once } from 'node:events';
import { request } from 'node:http';
import { randomBytes } from 'node:crypto';

import { Api, succeeded } from '../lib/api.mjs';

export const unique = () => randomBytes(6).toString('hex');

export class Target {
  /**
   * `url` is the front door. Only our own deployments have the other fields: `direct` (an auth-service or
   * driftsentry that trusts X-Forwarded-For from this machine), `redis(user)` (URLs of Redis), `database` (makes a
   * service's database read-only), `hidesOperations` (true if an edge hides /metrics), `logs()`,
   * `commandLine(arguments, input, variables)` (runs `driftsentry`), and `bodySeconds` (the time limit of a request
   * body, if it is not the default of 30 seconds).
   */
  constructor({ url, ...more }) {
    Object.assign(this, { url, ...more });
    this.api = new Api({ auth: url, drift: url });
  }

  get webSocketUrl() {
    return this.url.replace('http', 'ws');
  }

  /** Logs in as a demo user. */
  login(role) {
    return this.api.login(role);
  }

  /** Signs up a new viewer and returns their caller. */
  async newcomer() {
    const email = `attack-${unique()}@example.com`;
    const password = `correct horse ${unique()}`;
    const { data } = succeeded(await this.api.post('/api/auth/signup', { name: 'Newcomer', email, password }));
    return Object.assign(this.api.withToken(data.accessToken), { email, password, session: data });
  }

  /** Sends header values exactly as given, also several values of one name. */
  async raw(method, path, headers = {}, body = '') {
    const { hostname, port } = new URL(this.url);
    const sent = request({ hostname, port, method, path, headers });
    sent.end(body);
    const [answer] = await once(sent, 'response');
    const text = (await answer.setEncoding('utf8').toArray()).join('');
    return { status: answer.statusCode, headers: answer.headers, text, json: parse(text) };
  }

  /** Opens a TCP connection to the front door. */
  async socket() {
    const { hostname, port } = new URL(this.url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    return socket;
  }
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
