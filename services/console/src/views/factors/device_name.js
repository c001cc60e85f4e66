// The name of a new passkey, until its owner chooses another one.

/** Returns the name of this device, such as `Linux`. */
export const deviceName = () => navigator.userAgentData?.platform || 'This device';
