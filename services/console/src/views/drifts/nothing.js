// Placeholders of the empty list: no drift yet, all decided, or no match.

import { h } from '../../dom.js';
import { icon } from '../../icons.js';
import * as session from '../../session.js';
import { empty, skeleton } from '../../states.js';
import { loadSample, openUpload } from './intake.js';

/** True if the filters restrict more than the status. */
const isNarrow = ({ status, sort, snoozed, ...others }) =>
  snoozed === 'true' || Object.keys(others).length > 0;

/** Returns the placeholder for the rows; `summary` may still be null. */
export function nothingHere(filters, summary) {
  if (isNarrow(filters)) {
    return empty(
      'search',
      'No match',
      'No drift matches these filters.',
      h('a', { class: 'button', href: '#/drifts' }, 'Clear the filters'),
    );
  }
  // An instance without any drift shows the welcome page.
  if (!summary) return skeleton(3);
  return summary.total === 0 ? welcome() : nothingLeft(filters.status);
}

const nothingLeft = (status) =>
  status === 'detected'
    ? empty('check', 'All decided', 'No drift waits for a decision. New drifts appear here automatically.')
    : empty('drifts', 'No drifts', 'No drift has this status.');

export function welcome() {
  if (!session.may('engineer')) {
    return empty(
      'drifts',
      'No drift yet',
      'No plan has been uploaded yet. Drifts appear here as soon as an engineer uploads a plan.',
    );
  }
  return empty(
    'drifts',
    'No drift yet',
    'Upload the JSON of a Terraform or OpenTofu plan to see where your infrastructure differs from your code. Drop the file anywhere on this page, or load the sample plan with made-up resources first.',
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
