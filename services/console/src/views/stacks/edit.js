// The dialogs that change and delete a stack.

import { patch, remove } from '../../api.js';
import { confirmFirst, openDialog } from '../../dialog.js';
import { h } from '../../dom.js';
import { cancel, field, form, inputField, selectField } from '../../fields.js';
import { explain, plural } from '../../format.js';
import { notify } from '../../notice.js';
import { STACKS, cadenceUnits, joinCadence, splitCadence } from './words.js';

export const pathOf = (name) => `${STACKS}/${encodeURIComponent(name)}`;

/** Resolves to true if the stack was changed. */
export function editStack({ name, owner, labels, cadenceSeconds, isCadenceSet }) {
  const cadence = isCadenceSet ? splitCadence(cadenceSeconds) : { number: '', unit: 'hours' };
  const lines = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return openDialog(`Edit ${name}`, (close) => {
    const send = async (values) => {
      await patch(pathOf(name), {
        owner: values.owner.trim() || null,
        labels: labelsIn(values.labels),
        cadenceSeconds: joinCadence(values.cadenceSeconds, values.unit),
      });
      notify(`Saved: ${name}.`);
      close(true);
    };
    return form(
      [
        inputField(
          'Owner',
          { name: 'owner', autocomplete: 'off', maxlength: 255, value: owner ?? '' },
          'The person or team that answers for the stack.',
        ),
        field(
          'Labels',
          h('textarea', { name: 'labels', rows: 3, spellcheck: 'false', value: lines.join('\n') }),
          'One in a line, such as env=prod. At most 20.',
        ),
        h(
          'div',
          { class: 'cadence-fields' },
          inputField(
            'A scan is expected every',
            {
              name: 'cadenceSeconds',
              type: 'number',
              min: 0,
              step: 'any',
              value: cadence.number,
            },
            'Empty: learned from the last scans. At least 1 minute.',
          ),
          selectField(
            'Unit',
            { name: 'unit', value: cadence.unit },
            cadenceUnits.map((unit) => [unit, unit]),
          ),
        ),
      ],
      { action: 'Save', dialog: true, beside: cancel(close), send, reword, blame },
    );
  });
}

const CADENCE = 'The interval must be from 1 minute to 366 days.';

/** The user typed no seconds. */
const reword = (error) => (error.field?.('cadenceSeconds') ? CADENCE : undefined);
const blame = (error, { elements }) =>
  error.input ? elements[error.input] : error.field?.('cadenceSeconds') ? elements.cadenceSeconds : null;

/** Returns the labels of a text, or null if there are none. */
function labelsIn(text) {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
  const wrong = lines.find((line) => line.indexOf('=') < 1);
  if (wrong)
    throw Object.assign(new Error(`"${wrong}" is no label. Write it as key=value.`), { input: 'labels' });
  const pairs = lines.map((line) => {
    const at = line.indexOf('=');
    return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
  });
  return pairs.length > 0 ? Object.fromEntries(pairs) : null;
}

/** Resolves to true if the stack was deleted. */
export async function deleteStack({ name, detected, approved, rejected }) {
  const drifts = detected + approved + rejected;
  const text = [
    `This deletes the list of its scans, its owner, its labels and its badge. ${plural(drifts, 'drift')} `,
    `of the stack that ${drifts === 1 ? 'is' : 'are'} open, approved or rejected become${drifts === 1 ? 's' : ''} resolved, and stay${drifts === 1 ? 's' : ''} in the list of drifts. `,
    'Nobody can undo this. The next scan with this name creates the stack again.',
  ];
  if (!(await confirmFirst(`Delete the stack ${name}?`, text, 'Delete stack'))) return false;
  try {
    await remove(pathOf(name));
    notify(`Deleted: ${name}. ${plural(drifts, 'drift')} resolved.`);
    return true;
  } catch (error) {
    notify(explain(error), { tone: 'error' });
    return false;
  }
}
