// Passkeys: the WebAuthn API of the browser, with the JSON forms that the server reads and writes.

/** The lifetime of a request that stays open in the background, if the server names none. */
const USUAL_MS = 300_000;
const WORDS = {
  NotAllowedError: 'No passkey was used. Try again.',
  InvalidStateError: 'This device already has a passkey for your account. Use another device.',
  SecurityError: 'Passkeys do not work at this address. Open the console at its usual address.',
};
/** The browser allows one request at a time. */
let current = new AbortController();

/** Returns true if the browser has passkeys, and reads and writes them as JSON. */
export const isSupported = () =>
  ['parseCreationOptionsFromJSON', 'parseRequestOptionsFromJSON'].every(
    (name) => typeof globalThis.PublicKeyCredential?.[name] === 'function',
  );

/** Returns true if the browser offers passkeys in the suggestions of a field. */
export const isConditional = async () =>
  isSupported() && Boolean(await PublicKeyCredential.isConditionalMediationAvailable?.());

/** Creates a passkey, and returns its registration. */
export const createPasskey = (options, signal) =>
  alone(signal, (inTime) =>
    navigator.credentials.create({
      publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options),
      signal: inTime,
    }),
  );

/** Asks for a passkey, and returns its assertion. */
export const usePasskey = (options, signal) => alone(signal, (inTime) => assertion(options, inTime));

/** Waits until the user chooses a passkey from the suggestions of a field. Returns its assertion, or null once the
 * request is over. `options()` returns a new request, because each one expires, or null to stop. */
export async function suggestPasskeys(options, signal) {
  while (!signal.aborted) {
    const asked = await options();
    if (!asked) return null;
    const expired = AbortSignal.timeout(asked.timeout ?? USUAL_MS);
    const own = AbortSignal.any([signal, expired]);
    try {
      return await alone(own, (inTime) => assertion(asked, inTime, 'conditional'));
    } catch {
      if (!expired.aborted) return null;
    }
  }
  return null;
}

const assertion = (options, signal, mediation = 'optional') =>
  navigator.credentials.get({
    publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options),
    mediation,
    signal,
  });

/** Ends the request before, and runs this one. */
async function alone(signal, run) {
  current.abort();
  current = new AbortController();
  try {
    return (await run(AbortSignal.any([signal, current.signal]))).toJSON();
  } catch (error) {
    throw new Error(WORDS[error.name] ?? 'The passkey could not be used. Try again.', { cause: error });
  }
}
