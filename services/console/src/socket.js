// The live connection: one WebSocket to /ws, which reconnects whenever it breaks and then resumes. The server
// sends the missed events, or a `resync`, after which every view reads its data again.
//
// The connection reacts to the session (started, renewed, ended), the socket (open, message, close), the
// heartbeat, and the browser (online, offline, tab visible again). It ends when the session ends.

import { get } from './api.js';
import { deliver } from './live.js';
import * as session from './session.js';

const ROOMS = ['drifts', 'alerts'];
const HEARTBEAT_MS = 20_000;
const ANSWER_MS = 6_000;
const LONGEST_PAUSE_MS = 20_000;
const CLOSE = { unauthorized: 4401, revoked: 4403, rateLimit: 4429 };

const states = new EventTarget();
let state = { name: 'off', heardAt: null };
let socket = null;
let attempt = 0;
let retry = 0;
let heartbeat = 0;
let requests = 0;
let asked = new Map();
/** The point to resume from: the id of the socket, and the position of the last event. */
let place = null;
let pauseMs = null;

/** `{name: off | connecting | live | reconnecting, heardAt}`. */
export const connection = () => state;
export const onState = (listener, signal) =>
  states.addEventListener('change', () => listener(state), { signal });

export function start() {
  session.on('started', connect);
  session.on('renewed', reauthorize);
  session.on('ended', disconnect);
  addEventListener('online', () => (socket && isOpen() ? probe() : connect()));
  addEventListener('offline', () => probe(1500));
  document.addEventListener('visibilitychange', () => !document.hidden && probe());
  if (session.user()) connect();
}

function become(name) {
  if (state.name === name) return;
  state = { name, heardAt: state.heardAt };
  states.dispatchEvent(new Event('change'));
}

const isOpen = () => socket?.readyState === WebSocket.OPEN;

function connect() {
  clearTimeout(retry);
  if (!session.user() || (socket && socket.readyState <= WebSocket.OPEN)) return;
  become(state.heardAt ? 'reconnecting' : 'connecting');
  pauseMs = null;
  asked = new Map();
  const opened = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/ws`, ['driftsentry.v1']);
  socket = opened;
  // The token goes into the first message, because headers and addresses end up in logs.
  opened.onopen = () => send({ type: 'auth', token: session.token() });
  opened.onmessage = ({ data }) => socket === opened && receive(JSON.parse(data));
  opened.onclose = ({ code }) => socket === opened && closed(code);
}

function disconnect() {
  clearTimeout(retry);
  clearInterval(heartbeat);
  const was = socket;
  socket = place = null;
  was?.close();
  state = { name: 'off', heardAt: null };
  states.dispatchEvent(new Event('change'));
}

/** Sends a message and waits for its acknowledgement. Rejects if none arrives, or if it is a refusal. */
function ask(message, limitMs = ANSWER_MS) {
  const id = ++requests;
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('no response')), limitMs);
    asked.set(id, { resolve, reject, late });
    send({ ...message, id });
  });
}

function send(message) {
  if (isOpen()) socket.send(JSON.stringify(message));
}

function receive(message) {
  state.heardAt = Date.now();
  if (message.type === 'ack') return answered(message);
  const { type, payload } = message;
  if (type === 'connection.authorized') return authorized(payload);
  if (type === 'token.expiring') return void session.renew().catch(() => {});
  if (type === 'session.revoked') return revoked(payload.reason);
  if (type === 'server.draining') return void (pauseMs = payload.reconnectAfterMs);
  if (type === 'resync') return resynchronise();
  if (message.seq !== undefined && place) Object.assign(place, { epoch: message.epoch, seq: message.seq });
  deliver(message);
}

function answered({ id, success, data, error }) {
  const request = asked.get(id);
  if (!request) return;
  asked.delete(id);
  clearTimeout(request.late);
  if (success) request.resolve(data);
  else request.reject(new Error(error?.message ?? 'refused'));
}

async function authorized({ sessionId, epoch, seq }) {
  const before = place;
  const here = socket;
  place = { sessionId, epoch, seq };
  try {
    if (before) {
      place = { ...before, sessionId };
      const { recovered, rooms } = await ask({ type: 'resume', ...before });
      if (!recovered || !ROOMS.every((room) => rooms.includes(room))) throw new Error('not recovered');
    } else {
      await subscribe();
    }
  } catch {
    if (socket !== here) return;
    place = { sessionId, epoch, seq };
    await subscribe().catch(() => here.close());
    resynchronise();
  }
  if (socket !== here || !isOpen()) return;
  attempt = 0;
  become('live');
  clearInterval(heartbeat);
  heartbeat = setInterval(probe, HEARTBEAT_MS);
}

const subscribe = () => Promise.all(ROOMS.map((room) => ask({ type: 'subscribe', room })));

/** Makes every view read its data again: the missed events are lost. */
function resynchronise() {
  deliver({ type: 'resync', payload: {} });
}

/** Pings the server. Without a response the connection is dead, even if the browser still shows it as open. */
function probe(limitMs = ANSWER_MS) {
  if (!isOpen() || state.name !== 'live') return;
  const here = socket;
  ask({ type: 'ping' }, Number(limitMs) || ANSWER_MS).catch(() => {
    if (socket !== here) return;
    here.close();
    // `close` waits for the other side, which no longer responds.
    closed(1006);
  });
}

function reauthorize() {
  if (!isOpen()) return connect();
  const here = socket;
  ask({ type: 'reauth', token: session.token() }).catch(() => here.close());
}

function closed(code) {
  socket = null;
  clearInterval(heartbeat);
  for (const { reject, late } of asked.values()) {
    clearTimeout(late);
    reject(new Error('closed'));
  }
  if (!session.user()) return;
  become('reconnecting');
  if (code === CLOSE.revoked) return void cameToAnEnd();
  const longest = Math.min(LONGEST_PAUSE_MS, 400 * 2 ** attempt++);
  const pause =
    pauseMs ?? (code === CLOSE.rateLimit ? LONGEST_PAUSE_MS : longest * (0.5 + Math.random() / 2));
  retry = setTimeout(code === CLOSE.unauthorized ? renewAndConnect : connect, pause);
}

/** Ends the session, except if an admin may have closed only the connection: the close code then causes a check of
 * the session. */
function revoked(reason) {
  if (reason !== 'admin') session.endedElsewhere(reason);
}

async function cameToAnEnd() {
  // If the session has ended too, this response has the reason and ends the session here.
  await get('/api/auth/session').catch(() => {});
  if (session.user()) retry = setTimeout(connect, 1000 * Math.random());
}

function renewAndConnect() {
  session.renew().then(connect, () => session.user() && closed(1006));
}
