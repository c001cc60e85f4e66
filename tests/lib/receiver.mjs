import { once } from 'node:events';
import { createServer } from 'node:http';

/** A real HTTP server that keeps every request as `{headers, body}`, and responds with `status`. */
export class Receiver {
  status = 200;
  requests = [];

  static async start() {
    const receiver = new Receiver();
    receiver.server = createServer(async (request, response) => {
      const parts = await request.toArray();
      const body = Buffer.concat(parts).toString();
      receiver.requests.push({ path: request.url, headers: request.headers, body, json: JSON.parse(body) });
      response.writeHead(receiver.status).end();
    }).listen(0, '127.0.0.1');
    await once(receiver.server, 'listening');
    receiver.url = `http://127.0.0.1:${receiver.server.address().port}/hooks/secret-path`;
    return receiver;
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }
}
