// The zone of the times in the console: that of this device, or UTC. Stored on this device.

const KEY = 'driftsentry.time-zone';
const ZONES = ['local', 'utc'];
const changes = new EventTarget();

export const timeZone = () =>
  ZONES.includes(localStorage.getItem(KEY)) ? localStorage.getItem(KEY) : 'local';

export function setTimeZone(zone) {
  localStorage.setItem(KEY, zone);
  changes.dispatchEvent(new Event('change'));
}

export const onTimeZone = (listener) => changes.addEventListener('change', listener);

const pad = (value) => String(value).padStart(2, '0');

/** Returns the time in ISO 8601, to the second and with its zone. */
export function isoTime(time) {
  const date = new Date(time);
  const offset = timeZone() === 'utc' ? 0 : -date.getTimezoneOffset();
  const shifted = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, 19);
  const [sign, minutes] = [offset < 0 ? '-' : '+', Math.abs(offset)];
  return offset === 0
    ? `${shifted}Z`
    : `${shifted}${sign}${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)}`;
}

/** The name of the zone of this device, such as `Europe/Berlin`. */
export const zoneHere = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Returns the zones to choose from as pairs of name and label, with `chosen` even if this browser does not know it. */
export function zoneOptions(chosen) {
  const known = new Set(['UTC', ...Intl.supportedValuesOf('timeZone'), ...(chosen ? [chosen] : [])]);
  return [...known].sort().map((zone) => [zone, zone.replaceAll('_', ' ')]);
}
