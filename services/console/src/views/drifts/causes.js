// Drifts grouped by their cause: the same changes of resources of one type. The most severe and largest come first.

import { all } from '../../api.js';
import { fill, h } from '../../dom.js';
import { ago, count, plural } from '../../format.js';
import { KINDS, STATUSES, icon, severityMark } from '../../icons.js';
import { livePlace } from '../../live_place.js';
import * as session from '../../session.js';
import { summary } from '../../summary.js';
import { ACTIONS } from './decide.js';
import { selectionOf } from './facets.js';
import { decideMatching } from './matching.js';
import { nothingHere } from './nothing.js';
import { changedNames } from './paths.js';

const PAGE = 100;
const OFTEN_MS = 1_000;

export class CauseList {
  element = h('div', { class: 'cause-list', tabindex: '-1', hidden: true });
  #signal;
  #address;
  #reading = new AbortController();

  /** `address(key)` is the address of the drifts of a group. */
  constructor({ signal, address }) {
    this.#signal = signal;
    this.#address = address;
  }

  show(filters) {
    this.hide();
    this.element.hidden = false;
    this.#reading = new AbortController();
    const signal = AbortSignal.any([this.#reading.signal, this.#signal]);
    let wanted = PAGE;
    const work = async (again) => {
      const selection = selectionOf(filters);
      const { items, isComplete } = await all('/api/v1/drifts/groups', selection, { most: wanted, signal });
      if (items.length === 0) return nothingHere(filters, summary());
      const readMore = () => {
        wanted += PAGE;
        return again();
      };
      const rows = items.map((group) => this.#row(group, filters, again));
      return [
        h('ol', { 'aria-label': 'Causes' }, rows),
        !isComplete && h('button', { class: 'button', on: { click: readMore } }, 'More'),
      ];
    };
    fill(this.element, livePlace(['drift:'], OFTEN_MS, signal, work, { rows: 8 }).place);
  }

  hide() {
    this.#reading.abort();
    this.element.hidden = true;
    fill(this.element);
  }

  #row(group, filters, again) {
    const { key, resourceType, kind, severity, drifts, stacks, detected, firstSeenAt, example } = group;
    const names = kind === 'changed' && example ? changedNames(example) : [];
    const what = names.length > 0 ? names.join(', ') : KINDS[kind].label.toLowerCase();
    const size = `${plural(drifts, 'drift')} in ${plural(stacks, 'stack')}`;
    const name = `${resourceType} · ${what} · ${size}`;
    const decide = async (action) => {
      const title = `${ACTIONS[action].label} ${resourceType} · ${what}`;
      if (!(await decideMatching(title, { ...filters, group: key }, action))) return;
      await again();
      // The pressed button may be gone with its group.
      if (document.activeElement === document.body) this.element.focus({ preventScroll: true });
    };
    const button = (action) =>
      h(
        'button',
        { class: 'button', 'aria-label': `${ACTIONS[action].label}: ${name}`, on: { click: () => decide(action) } },
        icon(ACTIONS[action].icon),
        ACTIONS[action].label,
      );
    return h(
      'li',
      { class: 'cause', data: { key } },
      severityMark(severity),
      h(
        'div',
        {},
        h('a', { class: 'cause-name', href: this.#address(key) }, name),
        h(
          'p',
          { class: 'quiet' },
          statusesOf(group),
          ' · first seen ',
          ago(firstSeenAt, 'ago'),
          example && ` · such as ${example.address}`,
        ),
      ),
      session.may('engineer') &&
        detected > 0 &&
        h('div', { class: 'cause-actions' }, button('approve'), button('reject')),
    );
  }
}

const statusesOf = (group) =>
  Object.entries(STATUSES)
    .filter(([status]) => group[status] > 0)
    .map(([status, { label }]) => `${count(group[status])} ${label.toLowerCase()}`)
    .join(', ');
