// The public settings of the server: how people can log in, and what it may send.

import { request } from './http.js';

/** A server without mail. */
const USUAL = {
  signup: 'open',
  signupDomains: [],
  verifyEmail: false,
  loginMethods: ['password'],
  mail: false,
  proofOfWork: false,
  devMail: false,
};
let reading = null;

/** Returns the settings, which are read once. */
export function config() {
  reading ??= request('GET', '/api/auth/config').then(({ data }) => ({ ...USUAL, ...data }));
  reading.catch(() => (reading = null));
  return reading;
}

/** Returns the settings, or the usual ones if the server cannot be reached. */
export const configOrUsual = () => config().catch(() => USUAL);
