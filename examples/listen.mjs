// Prints new drifts and approvals as they happen: TOKEN=… node examples/listen.mjs
// Needs `npm install socket.io-client`. The default of URL is http://localhost:3001.

import { io } from 'socket.io-client';

const socket = io(process.env.URL ?? 'http://localhost:3001', { auth: { token: process.env.TOKEN } });

socket.on('connection.authorized', async () => {
  await socket.emitWithAck('subscribe:drifts');
  console.log('listening');
});
socket.on('drift:created', (drift) => console.log('new', drift.resourceId, drift.severity));
socket.on('drift:approved', (drift) => console.log('approved by', drift.approvedBy));
socket.on('session.revoked', ({ reason }) => console.log('the session has ended:', reason));
socket.on('connect_error', (error) => {
  console.log(error.data?.code ?? error.message); // MISSING_TOKEN, TOKEN_EXPIRED …
  if (!socket.active) process.exitCode = 1;
});
