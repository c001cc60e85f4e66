// The words about stacks: their statuses, and the interval between their scans.

import { h } from '../../dom.js';
import { count } from '../../format.js';
import { icon } from '../../icons.js';

export const STACKS = '/api/v1/stacks';

/** From worst to best, as the server lists them. */
export const STACK_STATUSES = {
  silent: { icon: 'silent', label: 'Silent', meaning: 'The next scan is overdue.' },
  blind: { icon: 'blind', label: 'Blind', meaning: 'The last scan did not cover the whole stack.' },
  drifted: { icon: 'drifts', label: 'Drifted', meaning: 'Some drifts need attention.' },
  clean: {
    icon: 'check',
    label: 'Clean',
    meaning: 'The last scan covered the whole stack, and no drift needs attention.',
  },
};

export function stackStatus(status) {
  // A server of another version may know more.
  const { icon: name, label, meaning } = STACK_STATUSES[status] ?? { icon: 'ring', label: status };
  return h('span', { class: 'status stack-status', data: { status }, title: meaning }, icon(name), label);
}

export const TOOLS = { terraform: 'Terraform', opentofu: 'OpenTofu', driftctl: 'driftctl', unknown: 'Unknown' };

/** The units of a cadence, in seconds. */
const UNITS = { days: 86_400, hours: 3_600, minutes: 60 };
const SHORT = { days: 'days', hours: 'h', minutes: 'min' };

/** Returns `every 6 h`, in the largest unit that is short and close. */
export function cadenceText(seconds) {
  const unit = seconds >= 2 * UNITS.days ? 'days' : seconds >= 1.5 * UNITS.hours ? 'hours' : 'minutes';
  return `every ${count(Math.max(1, Math.round((10 * seconds) / UNITS[unit]) / 10))} ${SHORT[unit]}`;
}

/** Returns the number and the unit of a cadence, for its field. */
export function splitCadence(seconds) {
  const unit = Object.keys(UNITS).find((name) => seconds % UNITS[name] === 0) ?? 'minutes';
  return { number: seconds / UNITS[unit], unit };
}

export const cadenceUnits = Object.keys(UNITS);

/** Returns the seconds of a cadence, or null for an empty field. */
export const joinCadence = (text, unit) => (text.trim() ? Math.round(Number(text) * UNITS[unit]) : null);

export const stackAddress = (name) => `#/stacks/${encodeURIComponent(name)}`;

/** Returns the address of drifts of a stack. */
export const driftsOf = (stack, query) => `#/drifts?${new URLSearchParams({ stack, ...query })}`;
