import { createHmac } from 'node:crypto';

const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Returns the claims of a token. */
export const claims = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));

/** Returns a copy of a token with changed claims, signed with `secret`. */
export function resigned(token, changes, secret) {
  const [header] = token.split('.');
  const signed = `${header}.${encoded({ ...claims(token), ...changes })}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}
