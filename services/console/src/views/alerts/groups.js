// Alerts in groups: one per stack, and in it one per scan.

import { fill, h } from '../../dom.js';
import { exactTime, plural } from '../../format.js';

/** Alerts without a stack. */
const OTHERS = '';

export class AlertGroups {
  element = h('div', { class: 'alerts' });
  #groups = new Map();

  clear() {
    this.#groups.clear();
    this.element.replaceChildren();
  }

  /** Adds alerts with their elements, in order. New alerts go to the top of their stack, older ones to the end. */
  add(entries, isNew) {
    for (const { alert, element } of isNew ? entries.toReversed() : entries) {
      const group = this.#group(alert.stack ?? OTHERS, isNew);
      const scan = scanOf(group, alert, isNew);
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

/** Alerts that no scan raised are together if they have the same time. */
function scanOf(group, { scanId, createdAt: time }, isNew) {
  const key = scanId ?? time;
  const known = group.scans.get(key);
  if (known) return known;
  const head = h('h3', {});
  const list = h('ol', {});
  const element = h('div', { class: 'alert-scan' }, head, list);
  const scan = { head, list, time };
  group.scans.set(key, scan);
  if (isNew) group.element.firstChild.after(element);
  else group.element.append(element);
  return scan;
}

function drawCounts(group, scan) {
  const total = group.element.querySelectorAll('li').length;
  fill(group.count, plural(total, 'alert'));
  fill(scan.head, exactTime(scan.time), ` · ${plural(scan.list.children.length, 'alert')}`);
}
