// Receives webhooks of DriftSentry: `npm install standardwebhooks`, then WEBHOOK_SECRET=whsec_… PORT=8000 node receiver.mjs
// During a rotation, WEBHOOK_SECRET can have both secrets, separated by a space.
import { createServer } from 'node:http';

import { Webhook } from 'standardwebhooks';

const webhooks = process.env.WEBHOOK_SECRET.split(' ').map((secret) => new Webhook(secret));
const MAX_BYTES = 2 ** 20;
// A delivery can arrive twice, with the same id. Keep the ids in your database if the process may restart.
const seen = new Map();
const REMEMBER_MS = 48 * 3600 * 1000;

function isNew(id) {
  const now = Date.now();
  for (const [old, at] of seen) {
    if (now - at < REMEMBER_MS) break;
    seen.delete(old);
  }
  if (seen.has(id)) return false;
  seen.set(id, now);
  return true;
}

/** Returns the event, or null if no secret signed this body within the last five minutes. */
function verified(body, headers) {
  for (const webhook of webhooks) {
    try {
      return webhook.verify(body, headers);
    } catch {
      // Another secret may have signed it.
    }
  }
  return null;
}

async function handle(request) {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) return 413;
    chunks.push(chunk);
  }
  // The signature is that of the bytes, so verify before you parse.
  const event = verified(Buffer.concat(chunks).toString(), request.headers);
  if (!event) return 401;
  // Respond first and work later: after ten seconds, the delivery counts as failed.
  if (isNew(request.headers['webhook-id'])) setImmediate(() => console.log(`${event.type} ${event.data.id}`));
  return 204;
}

const server = createServer(async (request, response) => {
  const status = request.method === 'POST' ? await handle(request).catch(() => 400) : 405;
  response.writeHead(status).end();
});
server.listen(Number(process.env.PORT ?? 8000), () => console.log(`listening on ${server.address().port}`));
