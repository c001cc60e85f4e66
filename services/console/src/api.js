// The API as the signed-in user: adds the access token, and renews it once if the server refuses it.

import { ApiError, envelope, requestFile, request, Unreachable } from './http.js';
import * as session from './session.js';

export const get = (path, query, options) => call('GET', withQuery(path, query), options);
export const post = (path, body = {}, options) => call('POST', path, { body, ...options });
export const put = (path, body = {}, options) => call('PUT', path, { body, ...options });
export const patch = (path, body, options) => call('PATCH', path, { body, ...options });
export const remove = (path, options) => call('DELETE', path, options);

const call = (method, path, options = {}) =>
  withToken((token) => request(method, path, { ...options, token }));

/** Sends a request, and once more with another token if the server refuses the first one. */
async function withToken(send) {
  const token = session.token();
  try {
    return await send(token);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
    return send(await anotherToken(token, error));
  }
}

/** Returns a token for another attempt. If the refused response has the reason why the session ended, ends the
 * session here: the response to a refresh would have no reason. */
async function anotherToken(refused, error) {
  const reason = error.details?.reason;
  if (reason) {
    session.endedElsewhere(reason);
    throw error;
  }
  return session.token() !== refused ? session.token() : session.renew();
}

/** Returns a whole list, read page by page, up to `most` items. */
export async function all(path, query, { most = 500, signal } = {}) {
  const items = [];
  let cursor;
  do {
    const { data, page } = await get(path, { ...query, limit: 100, cursor }, { signal });
    items.push(...data);
    cursor = page?.nextCursor;
  } while (cursor && items.length < most);
  return { items, isComplete: !cursor };
}

/** Returns a file that the API creates. */
export const download = (path) => withToken((token) => requestFile(path, token));

/** Uploads a plan and reports its progress, which `fetch` cannot do. */
export async function ingest(query, file, onProgress) {
  const send = (token) =>
    new Promise((resolve, reject) => {
      const sending = new XMLHttpRequest();
      sending.open('POST', withQuery('/api/v1/drifts/ingest', query));
      sending.setRequestHeader('content-type', 'application/json');
      sending.setRequestHeader('authorization', `Bearer ${token}`);
      sending.upload.onprogress = ({ loaded, total }) => onProgress(total ? loaded / total : 0);
      sending.onerror = () => reject(new Unreachable());
      sending.onload = () => resolve(sending);
      sending.send(file);
    });
  const opened = (sent) => envelope(sent.status, sent.responseText, sent.getResponseHeader('retry-after'));
  return withToken(async (token) => opened(await send(token)));
}

/** Adds the query to the path, without empty values. Lists are joined with commas. */
export function withQuery(path, query = {}) {
  const given = Object.entries(query).filter(
    ([, value]) => value !== undefined && value !== null && value !== '',
  );
  return given.length
    ? `${path}?${new URLSearchParams(given.map(([key, value]) => [key, String(value)]))}`
    : path;
}
