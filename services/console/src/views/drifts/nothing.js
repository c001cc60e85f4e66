// The list without rows: nothing there yet, nothing left to decide, or nothing that fits.

import { h } from '../../dom.js';
import { icon } from '../../icons.js';
import * as session from '../../session.js';
import { empty, skeleton } from '../../states.js';
import { loadSample, openUpload } from './intake.js';

/** Whether a query leaves anything out besides by status. */
const isNarrow = (filters) => Object.keys(filters).some((name) => !['status', 'sort'].includes(name));

/** What is shown in place of rows; `summary` may not be known yet. */
export function nothingHere(filters, summary) {
  if (isNarrow(filters)) {
    return empty(
      'search',
      'Nothing fits',
      'No drift matches these filters.',
      h('a', { class: 'button', href: '#/drifts' }, 'Clear the filters'),
    );
  }
  // An instance that never saw a drift welcomes; in one that did, all is well.
  if (!summary) return skeleton(3);
  return summary.total === 0 ? welcome() : nothingLeft(filters.status);
}

const nothingLeft = (status) =>
  status === 'detected'
    ? empty('check', 'All decided', 'No drift waits for a decision. New ones appear here by themselves.')
    : empty('drifts', `Nothing ${status ?? 'here'}`, 'No drift is in this status.');

export function welcome() {
  if (!session.may('engineer')) {
    return empty(
      'drifts',
      'No drift yet',
      'Nothing has been scanned so far. As soon as an engineer uploads a plan, its drifts appear here by themselves.',
    );
  }
  return empty(
    'drifts',
    'No drift yet',
    'Send the JSON of a Terraform or OpenTofu plan, and see what differs from what was declared. Drop the file anywhere on this page, or try it with made-up resources first.',
    h(
      'button',
      { class: 'button button-primary', on: { click: ({ currentTarget }) => loadSample(currentTarget) } },
      'Load the sample plan',
    ),
    h('button', { class: 'button', on: { click: () => openUpload() } }, icon('upload'), 'Upload a plan'),
    h(
      'pre',
      { class: 'snippet' },
      'terraform plan -refresh-only -out=plan\nterraform show -json plan > plan.json',
    ),
  );
}
