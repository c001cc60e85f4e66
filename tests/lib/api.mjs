/**
 * An HTTP client with one origin per service, and perhaps a token. `transcript` keeps every response, and is
 * shared by all clients that were created from this one.
 */
export class Api {
  transcript = [];

  constructor(origins, token = null) {
    this.origins = origins;
    this.token = token;
  }

  withToken(token) {
    const caller = new Api(this.origins, token);
    caller.transcript = this.transcript;
    return caller;
  }

  /** Logs in with one of the demo accounts. */
  async login(role) {
    const body = { email: `${role}@driftsentry.local`, password: `${role}123` };
    const { data } = await this.post('/api/auth/login', body).then(succeeded);
    return Object.assign(this.withToken(data.accessToken), { session: data });
  }

  get(path) {
    return this.#call('GET', path);
  }

  post(path, body = {}, headers = {}) {
    return this.#call('POST', path, body, headers);
  }

  put(path, body, headers = {}) {
    return this.#call('PUT', path, body, headers);
  }

  patch(path, body) {
    return this.#call('PATCH', path, body);
  }

  delete(path) {
    return this.#call('DELETE', path);
  }

  ingest(plan, query) {
    return this.post(`/api/v1/drifts/ingest?${new URLSearchParams(query)}`, plan);
  }

  /** Reads all pages of a list. */
  async list(path) {
    const items = [];
    let cursor = null;
    do {
      const query = new URLSearchParams({ limit: '100', ...(cursor && { cursor }) });
      const { data, page } = succeeded(await this.get(`${path}?${query}`));
      items.push(...data);
      cursor = page.nextCursor;
    } while (cursor);
    return items;
  }

  #originOf(path) {
    if (/^\/api\/((v1\/)?auth|v1\/users)\//.test(path)) return this.origins.auth;
    return (path.startsWith('/api/v1/notifications/') && this.origins.notify) || this.origins.drift;
  }

  async #call(method, path, body, headers = {}) {
    const origin = this.#originOf(path);
    const answer = await fetch(origin + path, {
      method,
      headers: {
        ...(this.token && { authorization: `Bearer ${this.token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      body: typeof body === 'object' && !Buffer.isBuffer(body) ? JSON.stringify(body) : body,
    });
    const text = await answer.text();
    this.transcript.push(text);
    return { status: answer.status, headers: answer.headers, text, ...parsed(text) };
  }
}

/** Returns the response, and fails if it is not a success in the envelope. */
export function succeeded(answer) {
  if (answer.success !== true) throw new Error(`${answer.status} ${answer.text}`);
  return answer;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
