// Alerts in groups: one per stack, and in it one per scan. Alerts that one scan raises have the same time.

import { fill, h } from '../../dom.js';
import { exactTime, plural } from '../../format.js';
import { objectsOf } from '../../objects.js';

/** Alerts without a known drift. */
const OTHERS = '';

export class AlertGroups {
  element = h('div', { class: 'alerts' });
  #groups = new Map();
  #signal;

  constructor(signal) {
    this.#signal = signal;
  }

  clear() {
    this.#groups.clear();
    this.element.replaceChildren();
  }

  /** Adds alerts with their elements, in order. New alerts go to the top of their stack, older ones to the end. */
  async add(entries, isNew, isCurrent) {
    const drifts = await objectsOf('drift', oneOfEachScan(entries), this.#signal);
    if (!isCurrent()) return;
    const stacks = new Map();
    for (const { alert } of entries) {
      const stack = drifts.get(alert.driftId)?.stack ?? namedStack(alert);
      if (stack) stacks.set(alert.createdAt, stack);
    }
    for (const { alert, element } of isNew ? entries.toReversed() : entries) {
      const group = this.#group(stacks.get(alert.createdAt) ?? OTHERS, isNew);
      const scan = scanOf(group, alert.createdAt, isNew);
      if (isNew) scan.list.prepend(element);
      else scan.list.append(element);
      drawCounts(group, scan);
    }
  }

  #group(stack, isNew) {
    const known = this.#groups.get(stack);
    if (known) return known;
    const count = h('span', { class: 'quiet' });
    const name =
      stack === OTHERS
        ? 'Other alerts'
        : h('a', { href: `#/drifts?${new URLSearchParams({ stack })}` }, stack);
    const element = h(
      'section',
      { class: 'alert-group', 'aria-label': stack || 'Other alerts' },
      h('h2', {}, name, ' ', count),
    );
    const group = { element, count, scans: new Map() };
    this.#groups.set(stack, group);
    if (isNew) this.element.prepend(element);
    else this.element.append(element);
    return group;
  }
}

/** Returns the drift of one alert of each scan, which names the stack of all of them. */
const oneOfEachScan = (entries) =>
  [...new Map(entries.map(({ alert }) => [alert.createdAt, alert.driftId])).values()].filter(Boolean);

/** Returns the stack that the title of an alert about many drifts names. */
const namedStack = ({ driftId, title }) => (driftId ? null : /: stack (\S+)$/.exec(title)?.[1]);

function scanOf(group, time, isNew) {
  const known = group.scans.get(time);
  if (known) return known;
  const head = h('h3', {});
  const list = h('ol', {});
  const element = h('div', { class: 'alert-scan' }, head, list);
  const scan = { head, list, time };
  group.scans.set(time, scan);
  if (isNew) group.element.firstChild.after(element);
  else group.element.append(element);
  return scan;
}

function drawCounts(group, scan) {
  const total = group.element.querySelectorAll('li').length;
  fill(group.count, plural(total, 'alert'));
  fill(scan.head, exactTime(scan.time), ` · ${plural(scan.list.children.length, 'alert')}`);
}
