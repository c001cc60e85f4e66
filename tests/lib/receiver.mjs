import { once } from 'node:events';
import { createServer } from 'node:http';

import { succeeded } from './api.mjs';
import { eventually } from './waiting.mjs';

/** A real HTTP server that keeps every request as `{path, headers, text, body}`, and responds with `status` or, to a path, as `responses` says. */
export class Receiver {
  status = 200;
  requests = [];
  /** A status and headers for a path. */
  responses = {};
  #server = createServer(async (request, response) => {
    request.setEncoding('utf8');
    const text = (await request.toArray()).join('');
    this.requests.push({ path: request.url, headers: request.headers, text, body: JSON.parse(text) });
    const [status, headers] = this.responses[request.url] ?? [this.status];
    response.writeHead(status, headers).end();
  });

  static async start() {
    const receiver = new Receiver();
    receiver.#server.listen(0, '127.0.0.1');
    await once(receiver.#server, 'listening');
    receiver.port = receiver.#server.address().port;
    receiver.url = `http://127.0.0.1:${receiver.port}`;
    return receiver;
  }

  /** Waits for a request to `path` that fits. */
  request(path, fits = () => true) {
    return eventually(`a request to ${path}`, () => this.requests.find((one) => one.path === path && fits(one)));
  }

  stop() {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

/** Creates a destination, and returns it with its secret. */
export async function createDestination(admin, target, more = {}) {
  const body = { name: target.kind, target, rules: { events: ['drift:created'] }, ...more };
  return succeeded(await admin.post('/api/v1/notifications/destinations', body)).data;
}

let drifts = 0;

/** Reports a new drift and returns it. */
export async function reportDrift(engineer, more = {}) {
  drifts += 1;
  const body = { stack: 'prod-eu', resourceId: `i-${drifts}`, resourceType: 'aws_instance', region: 'eu-central-1', ...more };
  return succeeded(await engineer.post('/api/v1/drifts', { severity: 'critical', ...body })).data;
}

/** Returns whether a request to a webhook is about a drift. */
export const isAbout = (drift) => ({ body }) => body.data?.id === drift.id;
