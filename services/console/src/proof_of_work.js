// Requests that anybody may send. A server that expects abuse asks for some computation first: the number whose
// hash, together with the salt, is the challenge (ALTCHA). It costs a person a second, and a flood of requests hours.

import { config } from './config.js';
import { h } from './dom.js';
import { request, requestFile } from './http.js';

/** The hashes between two updates of the page. */
const BATCH = 1000;

/** Sends a request with the proof, if the server asks for one, and returns the response. */
export async function ask(path, body, place) {
  const { data } = await request('POST', path, { body: { ...body, ...(await solved(place)) } });
  return data;
}

/** Returns `{altcha}`, or an empty object if the server asks for no proof. Progress appears in `place`. */
export async function solved(place) {
  const { proofOfWork } = await config();
  return proofOfWork ? { altcha: await solveVisibly(place) } : {};
}

async function solveVisibly(place) {
  const bar = h('progress', { max: 1, 'aria-label': 'Security check' });
  const shown = h(
    'div',
    { class: 'progress', role: 'status' },
    'Security check. This takes a few seconds.',
    bar,
  );
  place.append(shown);
  try {
    // The response has no envelope, because the widget of ALTCHA reads it too.
    const challenge = JSON.parse(await (await requestFile('/api/auth/challenge')).text());
    return await solve(challenge, (share) => (bar.value = share));
  } finally {
    shown.remove();
  }
}

async function solve({ algorithm, challenge, maxnumber, salt, signature }, report) {
  if (!crypto.subtle) throw new Error('The security check works only over HTTPS. Ask your administrator.');
  const encoder = new TextEncoder();
  const fits = async (number) =>
    hex(await crypto.subtle.digest(algorithm, encoder.encode(salt + number))) === challenge;
  for (let first = 0; first <= maxnumber; first += BATCH) {
    const numbers = Array.from({ length: Math.min(BATCH, maxnumber - first + 1) }, (_, at) => first + at);
    const found = (await Promise.all(numbers.map(fits))).indexOf(true);
    if (found >= 0) {
      const solution = { algorithm, challenge, number: first + found, salt, signature };
      return btoa(JSON.stringify(solution));
    }
    report(first / maxnumber);
    // Lets the page draw, and respond to keys.
    await new Promise((resolve) => setTimeout(resolve));
  }
  throw new Error('The security check failed. Try again.');
}

const hex = (buffer) =>
  Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('');
