// The server that the gateway is compared with: the same tokens, rooms and events on Socket.IO and Node.
// With PEERS > 1, several of these processes share their rooms through the Redis adapter. One of them
// subscribes to the events and passes them to the others.

import { createServer } from 'node:http';
import { createAdapter } from '@socket.io/redis-adapter';
import jwt from 'jsonwebtoken';
import { createClient } from 'redis';
import { Server } from 'socket.io';

const { PORT, REDIS_URL, JWT_ACCESS_SECRET, PING_INTERVAL_MS, PEERS, RELAYS } = process.env;
const CHECKS = { algorithms: ['HS256'], issuer: 'driftsentry', audience: 'api', clockTolerance: 10 };

const redis = async () => {
  const client = createClient({ url: REDIS_URL });
  await client.connect();
  return client;
};

let ready = false;
const http = createServer((_, response) => response.writeHead(ready ? 200 : 503).end());
const io = new Server(http, { transports: ['websocket'], pingInterval: Number(PING_INTERVAL_MS) });
if (Number(PEERS) > 1) io.adapter(createAdapter(await redis(), await redis()));

io.use((socket, next) => {
  try {
    socket.data.claims = jwt.verify(socket.handshake.auth.token, JWT_ACCESS_SECRET, CHECKS);
    next();
  } catch {
    next(new Error('INVALID_TOKEN'));
  }
});

io.on('connection', (socket) => {
  const { userId, sid, accountId } = socket.data.claims;
  socket.join([`user:${userId}`, `session:${sid}`, `account:${accountId ?? 'global'}`]);
  for (const room of ['drifts', 'alerts']) {
    socket.on(`subscribe:${room}`, (acknowledge) => {
      socket.join(room);
      acknowledge?.({ success: true });
    });
  }
});

const rooms = {
  drift: ({ accountId }) => ['drifts', `account:${accountId ?? 'global'}`],
  alert: () => ['alerts'],
  auth: ({ userId }) => [`user:${userId}`],
};

if (RELAYS === 'true') {
  const events = await redis();
  await events.pSubscribe(['drift:*', 'alert:*', 'auth:*'], (message, channel) => {
    const event = JSON.parse(message);
    io.to(rooms[channel.split(':')[0]](event)).emit(channel, event.payload);
  });
}

http.listen(Number(PORT), '127.0.0.1', () => {
  ready = true;
});
