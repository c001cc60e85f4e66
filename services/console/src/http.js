// One request and its response in the envelope. Independent of the signed-in user.

/** A response that is not a success, as the API explained it. */
export class ApiError extends Error {
  constructor(status, error, retryAfter) {
    super(error.message);
    this.name = 'ApiError';
    this.status = status;
    this.code = error.code;
    this.details = error.details ?? null;
    this.requestId = error.requestId ?? null;
    this.retryAfterSeconds = retryAfter;
  }

  /** The error of one field of a form, if the API named the field. */
  field(name) {
    return Array.isArray(this.details)
      ? this.details.find((detail) => detail.field === name)?.message
      : undefined;
  }
}

/** No response arrived. */
export class Unreachable extends Error {
  constructor(cause) {
    super('The server cannot be reached.', { cause });
    this.name = 'Unreachable';
  }
}

/** Sends `body` as JSON, or unchanged if it is bytes. Returns `{data, page}`. */
export async function request(method, path, options = {}) {
  const answer = await send(method, path, options);
  return envelope(answer.status, await answer.text(), answer.headers.get('retry-after'));
}

/** Returns the body of a response that has no envelope, as a file with the name that the server gives it. */
export async function requestFile(path, token) {
  const answer = await send('GET', path, { token });
  if (answer.ok) {
    const body = await answer.blob().catch((error) => Promise.reject(new Unreachable(error)));
    const [, name = 'download'] = /filename="([^"]+)"/.exec(answer.headers.get('content-disposition')) ?? [];
    return new File([body], name, { type: body.type });
  }
  return envelope(answer.status, await answer.text(), answer.headers.get('retry-after'));
}

async function send(method, path, { body, headers = {}, token, signal }) {
  const isRaw = body instanceof Blob || body instanceof ArrayBuffer;
  const options = {
    method,
    signal,
    credentials: 'same-origin',
    headers: {
      accept: 'application/json',
      // With COMPAT_ROUTES=true, requests without this header get the contract of the replaced stack.
      'x-api-contract': 'current',
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(token && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: body === undefined || isRaw ? body : JSON.stringify(body),
  };
  try {
    return await fetch(path, options);
  } catch (error) {
    throw error.name === 'AbortError' ? error : new Unreachable(error);
  }
}

/** Keeps a number that a double cannot hold as text: two states may differ in its last digit only. */
export function exactly(key, value, context) {
  const isCut = typeof value === 'number' && context?.source?.length > 15 && String(value) !== context.source;
  return isCut ? context.source : value;
}

/** Opens the envelope. Returns `{data, page}`, or throws the error of the API. */
export function envelope(status, text, retryAfter) {
  let answer;
  try {
    answer = JSON.parse(text, /\d{16}/.test(text) ? exactly : undefined);
  } catch {
    answer = null;
  }
  if (answer?.success === true) return { data: answer.data, page: answer.page };
  // A proxy that responds for the service sends no envelope.
  const error = answer?.error ?? { code: 'UNAVAILABLE', message: `The server responded with ${status}.` };
  throw new ApiError(status, error, Number(retryAfter) || null);
}
