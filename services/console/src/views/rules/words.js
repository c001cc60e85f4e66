// Rules in words. Pure functions.

export const RULES = '/api/v1/drifts/rules';

export const CLASSES = [
  ['ignore', 'ignore: noise, not stored'],
  ['volatile', 'volatile: changes by itself, shown as info'],
  ['info', 'info'],
  ['warning', 'warning'],
  ['critical', 'critical'],
];
export const THRESHOLDS = ['info', 'warning', 'critical'];

/** Returns the text of a rule, as the API writes it. */
export const textOf = ({ class: name, pattern, stack }) =>
  `${name}: ${pattern}${stack ? ` stack=${stack}` : ''}`;

/** Returns a rule as the API takes it. */
export const written = ({ class: name, pattern, stack, note }) => ({
  class: name,
  pattern,
  stack: stack || null,
  note: note || null,
});

/** Returns the texts of rules that only one of two lists has, and whether their order or notes differ. */
export function difference(before, after) {
  const texts = (rules) => rules.map(textOf);
  const [then, now] = [texts(before), texts(after)];
  const added = now.filter((text) => !then.includes(text));
  const removed = then.filter((text) => !now.includes(text));
  const inBoth = (own, others) => own.filter((text) => others.includes(text)).join('\n');
  return { added, removed, isReordered: inBoth(now, then) !== inBoth(then, now) };
}

/** Returns the patterns of a rule for a changed path of a drift, the narrowest first. */
export function placesOf({ address, resourceType, stack }, path) {
  const below = (resource) => [resource, ...path].join('.');
  return [
    ['resource', 'This resource', { pattern: below(address), stack }],
    ['stack', `Each ${resourceType} of ${stack}`, { pattern: below(`${resourceType}.*`), stack }],
    ['everywhere', `Each ${resourceType}, everywhere`, { pattern: below(`${resourceType}.*`), stack: null }],
  ];
}
