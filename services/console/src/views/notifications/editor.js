// The page that creates or changes a destination.

import { go } from '../../address.js';
import { get, patch, post } from '../../api.js';
import { openDialog } from '../../dialog.js';
import { fill, h } from '../../dom.js';
import { field, form, inputField, selectField } from '../../fields.js';
import { icon } from '../../icons.js';
import { notify } from '../../notice.js';
import { load } from '../../states.js';
import { setTitle } from '../../title.js';
import { USUAL_EVENTS } from './event_types.js';
import { KIND_OPTIONS, kindOf, targetOf } from './kinds.js';
import { previewArea } from './preview.js';
import { ruleFields } from './rule_fields.js';
import { scheduleFields } from './schedule_fields.js';
import { signingSecret } from './signing_secret.js';
import { DESTINATIONS } from './words.js';

const LIST = '/notifications';
const NEW = {
  name: '',
  kind: 'webhook',
  rules: { events: USUAL_EVENTS, minSeverity: null, stacks: [], accounts: [] },
  schedule: { digestMinutes: null, unlessReceivedSeconds: null, quietHours: null, groupByScan: false, skipRepeats: false },
  template: null,
};

/** Shows the form of a new destination, or of the one with this id. */
export function showEditor(place, signal, id) {
  if (id === null) {
    setTitle('New destination', 'Notifications');
    fill(place, back(), h('h2', {}, 'New destination'), editor(NEW, { signal, send: create }));
    return;
  }
  const reload = () =>
    load(place, signal, async () => {
      const { data } = await get(`${DESTINATIONS}/${id}`, {}, { signal });
      setTitle(data.name, 'Notifications');
      return [back(), h('h2', {}, `Edit ${data.name}`), editor(data, { signal, send: change, reload })];
    });
  reload();
}

async function create({ kind, ...values }) {
  const { data } = await post(DESTINATIONS, values);
  if (kindOf(kind).isSigned)
    await openDialog(`${data.name} is ready`, (close) => signingSecret(data.signingSecret, null, close), {
      wide: true,
    });
  notify(`Created: ${data.name}. Press "Test" to see that a message arrives.`);
  go(LIST);
}

async function change({ kind: _, ...values }, { id, version }) {
  const { data } = await patch(`${DESTINATIONS}/${id}`, values, { headers: { 'if-match': `"v${version}"` } });
  notify(`Saved: ${data.name}.`);
  go(LIST);
}

function editor(destination, { signal, send, reload }) {
  const isNew = !destination.id;
  let { kind } = destination;
  const about = h('p', { class: 'hint' });
  const target = h('div', { class: 'editor-part' });
  const rules = ruleFields(destination.rules);
  const schedule = scheduleFields(destination.schedule);
  const template = h('textarea', {
    name: 'template',
    rows: 4,
    maxlength: 4096,
    spellcheck: 'false',
    class: 'mono',
    value: destination.template ?? '',
    placeholder: '{{ severity }}: {{ title }} {{ link }}',
    on: { input: () => preview.again() },
  });
  const preview = previewArea(template, () => kind, signal);
  const templateField = field(
    'Text (optional)',
    template,
    'A minijinja template. It may use title, severity, status, stack, link, type, at, account, fields and payload. Empty: the usual message.',
  );
  let isReplaced = isNew;

  function drawTarget() {
    fill(about, kindOf(kind).about);
    const fields = kindOf(kind).fields;
    fill(
      target,
      isReplaced
        ? fields.map(targetField)
        : [
            h('p', {}, 'Sends to ', h('strong', {}, destination.shown), '.'),
            fields.length > 0 &&
              h('button', { class: 'button', type: 'button', on: { click: replace } }, 'Replace the address'),
          ],
    );
    templateField.hidden = !kindOf(kind).hasTemplate;
  }

  function replace() {
    isReplaced = true;
    drawTarget();
    target.querySelector('input, textarea').focus();
  }

  const kindField = selectField('Kind', { name: 'target.kind', value: kind }, KIND_OPTIONS);
  kindField.addEventListener('change', ({ target: { value } }) => {
    kind = value;
    drawTarget();
    preview.again();
  });

  const save = (values) =>
    send(
      {
        kind,
        name: values.name.trim(),
        ...(isReplaced && { target: targetOf(kind, values) }),
        rules: rules.rules(values),
        schedule: schedule.schedule(values),
        template: kindOf(kind).hasTemplate && values.template.trim() ? values.template : null,
      },
      destination,
    );
  const reword = (error) =>
    error.status === 412
      ? [
          'Somebody else changed this destination after you opened it. Your changes are not saved. ',
          h('button', { class: 'link-button', type: 'button', on: { click: reload } }, 'Load the current version'),
        ]
      : // A sentence, unlike the errors of other fields.
        error.field?.('template');

  drawTarget();
  const element = form(
    [
      part('Where', [
        inputField('Name', { name: 'name', required: true, maxlength: 80, autocomplete: 'off', value: destination.name }),
        isNew ? kindField : h('p', {}, `Kind: ${kindOf(kind).label}`),
        about,
        target,
      ]),
      part('Which events', rules.element),
      part('When', schedule.element),
      part('Message', [templateField, preview.element]),
    ],
    {
      action: isNew ? 'Create destination' : 'Save',
      send: save,
      reword,
      inPlace: true,
    },
  );
  element.classList.add('editor');
  return element;
}

const back = () =>
  h(
    'p',
    { class: 'back-line' },
    h('a', { class: 'text-link', href: `#${LIST}` }, icon('back'), 'All destinations'),
  );

const part = (title, content) => h('section', { class: 'editor-part' }, h('h3', {}, title), content);

const targetField = ({ name, label, hint, input, isList, isOptional }) =>
  field(
    label,
    h(isList ? 'textarea' : 'input', { ...input, name: `target.${name}`, required: !isOptional }),
    hint,
  );
