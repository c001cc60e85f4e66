// The form that uploads a plan file unchanged, shows the progress, and then the report.

import { ingest } from '../../api.js';
import { fill, h } from '../../dom.js';
import { count, explain, plural } from '../../format.js';
import { icon } from '../../icons.js';
import { busy } from '../../states.js';
import { readSummary } from '../../summary.js';

const LARGEST = 32 * 1024 * 1024;
const COUNTS = [
  ['created', 'new'],
  ['changed', 'changed'],
  ['unchanged', 'unchanged'],
  ['resolved', 'resolved'],
  ['ignored', 'ignored by rule'],
];

/** Returns the form, with the dropped file if there is one; `close` closes the dialog. */
export function uploadForm(given, close) {
  let file = null;
  const input = h('input', {
    type: 'file',
    id: 'plan-file',
    class: 'unseen',
    accept: '.json,.gz,application/json',
    on: { change: () => choose(input.files[0]) },
  });
  const zone = h('label', { class: 'drop-zone', for: 'plan-file' });
  const stack = h('input', {
    id: 'plan-stack',
    name: 'stack',
    required: true,
    maxlength: 256,
    autocomplete: 'off',
    spellcheck: 'false',
  });
  const complete = h('input', { type: 'checkbox', id: 'plan-complete' });
  const assume = h('input', { type: 'checkbox', id: 'plan-assume' });
  const dryRun = h('input', { type: 'checkbox', id: 'plan-dry' });
  const told = h('div', { class: 'upload-told' });
  const submit = h('button', { class: 'button button-primary', type: 'submit' }, 'Upload');
  const form = h(
    'form',
    { class: 'upload', novalidate: true, on: { submit: (event) => (event.preventDefault(), send()) } },
    input,
    zone,
    h(
      'div',
      { class: 'field' },
      h('label', { for: 'plan-stack' }, 'Stack'),
      stack,
      h('p', { class: 'hint' }, 'The Terraform state of this plan, such as prod/network. Each stack has its own drifts.'),
    ),
    check(complete, 'The scan is complete', 'Drifts of this stack that the scan does not show are resolved.'),
    check(
      assume,
      'I vouch for the plan',
      'The plan was neither targeted nor made with -refresh=false, even if the file does not state this.',
    ),
    check(dryRun, 'Dry run', 'Reports what would happen and changes nothing.'),
    told,
    h(
      'div',
      { class: 'dialog-actions' },
      h('button', { class: 'button', type: 'button', on: { click: () => close() } }, 'Close'),
      submit,
    ),
  );
  form.choose = choose;

  function choose(chosen) {
    if (!chosen) return;
    file = chosen;
    showZone();
    fill(told);
    stack.value ||= /^(plan|scan\d*|drift)(\.|$)/i.test(chosen.name)
      ? ''
      : chosen.name.replace(/\.(tfplan|plan|json|gz)/g, '');
    (stack.value ? submit : stack).focus();
  }

  function showZone() {
    fill(
      zone,
      icon('upload'),
      file ? h('strong', {}, file.name) : h('strong', {}, 'Choose a file, or drop it here'),
      h(
        'span',
        { class: 'quiet' },
        file ? size(file.size) : 'JSON of terraform show, tofu show or driftctl; gzip is fine; up to 32 MiB',
      ),
    );
  }

  async function send() {
    const problem = !file
      ? 'Choose a file first.'
      : !stack.value.trim()
        ? 'Name the stack.'
        : file.size > LARGEST
          ? 'The file is over 32 MiB.'
          : null;
    if (problem) {
      (file ? stack : input).focus();
      return void fill(told, h('p', { class: 'form-error', role: 'alert' }, problem));
    }
    await busy(submit, async () => {
      const bar = h('progress', { max: 1, value: 0, 'aria-label': 'Upload' });
      const doing = h('span', { role: 'status' }, 'Sending…');
      fill(told, h('div', { class: 'progress' }, bar, doing));
      const progressed = (share) => {
        bar.value = share;
        if (share === 1) fill(doing, 'Reading the plan…');
      };
      try {
        const query = {
          stack: stack.value.trim(),
          complete: complete.checked || null,
          assumeComplete: (complete.checked && assume.checked) || null,
          dryRun: dryRun.checked || null,
        };
        const { data } = await ingest(query, file, progressed);
        fill(told, reportView(data, dryRun.checked));
        if (!dryRun.checked) readSummary();
      } catch (error) {
        fill(told, h('p', { class: 'form-error', role: 'alert' }, explain(error)));
      }
    });
  }

  showZone();
  if (given) setTimeout(() => choose(given));
  return form;
}

const check = (input, label, hint) =>
  h(
    'div',
    { class: 'check' },
    input,
    h('div', {}, h('label', { for: input.id }, label), h('p', { class: 'hint' }, hint)),
  );

const size = (bytes) =>
  bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;

function reportView(report, isDryRun) {
  const skipped = Object.entries(report.skippedReasons ?? {}).map(
    ([reason, times]) => `${count(times)} skipped: ${reason}`,
  );
  const notes = [...skipped, ...(report.warnings ?? [])];
  return h(
    'section',
    { class: 'report', role: 'status' },
    h('h3', {}, isDryRun ? 'Dry run: nothing was stored' : 'Done'),
    h(
      'dl',
      { class: 'report-counts' },
      COUNTS.map(([name, label]) =>
        h('div', { data: { name } }, h('dt', {}, label), h('dd', {}, count(report[name]))),
      ),
    ),
    notes.length > 0 &&
      h(
        'details',
        { open: notes.length < 4 },
        h('summary', {}, plural(notes.length, 'note')),
        h(
          'ul',
          {},
          notes.map((note) => h('li', {}, note)),
        ),
      ),
  );
}
