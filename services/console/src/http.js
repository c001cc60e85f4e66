// One request and its answer in the envelope. Knows nothing of who is signed in.

/** An answer that is not a success, as the API explained it. */
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

  /** What is wrong with one field of a form, if the API named it. */
  field(name) {
    return Array.isArray(this.details)
      ? this.details.find((detail) => detail.field === name)?.message
      : undefined;
  }
}

/** No answer came at all. */
export class Unreachable extends Error {
  constructor(cause) {
    super('The server cannot be reached.', { cause });
    this.name = 'Unreachable';
  }
}

/** Sends `body` as JSON, or as it is if it is bytes; gives `{data, page}`. */
export async function request(method, path, { body, headers = {}, token, signal } = {}) {
  const isRaw = body instanceof Blob || body instanceof ArrayBuffer;
  const options = {
    method,
    signal,
    credentials: 'same-origin',
    headers: {
      accept: 'application/json',
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(token && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: body === undefined || isRaw ? body : JSON.stringify(body),
  };
  let answer;
  try {
    answer = await fetch(path, options);
  } catch (error) {
    throw error.name === 'AbortError' ? error : new Unreachable(error);
  }
  return envelope(answer.status, await answer.text(), answer.headers.get('retry-after'));
}

/** A number that a double cannot hold stays as it was written: two states may differ in its last digit. */
function exactly(key, value, context) {
  const isCut = typeof value === 'number' && context?.source?.length > 15 && String(value) !== context.source;
  return isCut ? context.source : value;
}

/** Opens the envelope: `{data, page}`, or throws what the API said. */
export function envelope(status, text, retryAfter) {
  let answer;
  try {
    answer = JSON.parse(text, /\d{16}/.test(text) ? exactly : undefined);
  } catch {
    answer = null;
  }
  if (answer?.success === true) return { data: answer.data, page: answer.page };
  // A proxy that answers for the service speaks no envelope.
  const error = answer?.error ?? { code: 'UNAVAILABLE', message: `The server answered ${status}.` };
  throw new ApiError(status, error, Number(retryAfter) || null);
}
