// The rules of the deployment. Those of the console are edited as a draft, which is rehearsed and then saved as a version;
// those of the file are below them.

import { get } from '../../api.js';
import { confirmFirst, openDialog } from '../../dialog.js';
import { fill, h } from '../../dom.js';
import { ago, plural } from '../../format.js';
import { onLive, throttled } from '../../live.js';
import { nameOf } from '../../people.js';
import * as session from '../../session.js';
import { empty, load } from '../../states.js';
import { changesView } from './changes.js';
import { editRule } from './form.js';
import { rehearsal } from './rehearsal.js';
import { reviewRules, saveRules } from './save.js';
import { consoleTable, fileTable } from './table.js';
import { versionsView } from './versions.js';
import { RULES, THRESHOLDS, textOf } from './words.js';

export function showRules(place, signal) {
  let saved = null;
  let draft = null;
  const content = h('div', { class: 'rules' });
  fill(place, content);

  const read = (quietly) =>
    load(
      content,
      signal,
      async () => {
        const { data } = await get(RULES, {}, { signal });
        const inConsole = data.rules.filter(({ source }) => source === 'console');
        saved = {
          version: data.version,
          rules: inConsole.map(({ written }) => written),
          alertThreshold: data.consoleAlertThreshold,
        };
        draft = { rules: [...saved.rules], alertThreshold: saved.alertThreshold };
        const versions = await versionsView(saved, signal, () => read(true));
        return page(data, inConsole, versions);
      },
      { quietly },
    );

  const isChanged = () => JSON.stringify(draft) !== JSON.stringify(contentOf(saved));

  function page(data, inConsole, versions) {
    const uses = new Map(inConsole.map((rule) => [textOf(rule.written), rule]));
    const list = h('div', {});
    const bar = h('div', { class: 'rules-bar', role: 'region', 'aria-label': 'Unsaved changes', hidden: true });
    const threshold = thresholdField(data);

    const draw = () => {
      fill(
        list,
        draft.rules.length > 0
          ? consoleTable(draft.rules, uses, act)
          : empty(
              'check',
              'No rules in the console',
              'Add one here, or choose "Ignore from here" at a changed attribute of a drift.',
            ),
      );
      bar.hidden = !isChanged();
      if (isChanged()) fill(bar, barContent());
    };

    async function act(name, at) {
      const { rules } = draft;
      const other = { up: at - 1, down: at + 1 }[name];
      if (other !== undefined) [rules[at], rules[other]] = [rules[other], rules[at]];
      else if (name === 'delete') rules.splice(at, 1);
      else {
        const others = rules.filter((rule) => rule !== rules[at]);
        const edited = await editRule('Edit rule', { rule: rules[at], others, action: 'Apply' });
        if (edited) rules[at] = edited;
      }
      draw();
      focusAfter(name, other ?? Math.min(at, rules.length - 1));
    }

    /** The pressed button was drawn anew. */
    function focusAfter(name, at) {
      const row = list.querySelectorAll('tbody tr')[at];
      const button = row?.querySelector(`[data-act="${name}"]:not([disabled])`);
      (button ?? row?.querySelector('button:not([disabled])') ?? add).focus();
    }

    const add = h('button', { class: 'button', on: { click: addRule } }, 'Add rule');
    async function addRule() {
      const rule = await editRule('Add rule', { others: draft.rules, action: 'Add' });
      if (!rule) return;
      draft.rules.unshift(rule);
      draw();
    }

    function barContent() {
      const mayNot = !session.may('admin');
      return [
        h('div', {}, h('strong', {}, 'Not saved yet'), changesView(saved, draft)),
        h(
          'div',
          { class: 'rules-actions' },
          h('button', { class: 'button', on: { click: discard } }, 'Discard'),
          h('button', { class: 'button', on: { click: () => rehearseDraft(draft) } }, 'Rehearse'),
          mayNot
            ? h('p', { class: 'hint' }, 'Only admins save rules.')
            : h('button', { class: 'button button-primary', on: { click: review } }, 'Review and save'),
        ),
      ];
    }

    async function discard() {
      const isSure = await confirmFirst('Discard your changes?', 'The rules in force stay.', 'Discard');
      if (isSure) read(true);
    }

    async function review() {
      const isSaved = await reviewRules('Save these rules?', {
        before: saved,
        after: draft,
        version: saved.version,
        send: saveRules,
      });
      if (isSaved) read(true);
    }

    function thresholdField({ fileAlertThreshold }) {
      const select = h(
        'select',
        {
          class: 'select',
          id: 'alert-threshold',
          on: {
            change() {
              draft.alertThreshold = select.value || null;
              draw();
            },
          },
        },
        h('option', { value: '' }, `as in the file: ${fileAlertThreshold}`),
        THRESHOLDS.map((value) => h('option', { value, selected: value === draft.alertThreshold }, value)),
      );
      return h(
        'p',
        { class: 'rules-threshold' },
        h('label', { for: select.id }, 'Alerts from severity'),
        select,
      );
    }

    draw();
    const inFile = data.rules.filter(({ source }) => source === 'file');
    return [
      h(
        'p',
        { class: 'quiet' },
        'The first rule that matches a changed attribute decides: first those of the console, then those of the file, then the built-in ones.',
      ),
      h(
        'section',
        { 'aria-labelledby': 'rules-console' },
        h(
          'header',
          { class: 'rules-head' },
          h('h2', { id: 'rules-console' }, 'Rules of the console'),
          savedBy(data),
          add,
        ),
        threshold,
        list,
        bar,
      ),
      h(
        'section',
        { 'aria-labelledby': 'rules-file' },
        h('h2', { id: 'rules-file' }, 'Rules of the file'),
        inFile.length > 0
          ? fileTable(inFile)
          : h('p', { class: 'quiet' }, 'DRIFT_RULES names no file with rules. docs/DRIFT.md shows how.'),
      ),
      versions &&
        h(
          'section',
          { 'aria-labelledby': 'rules-versions' },
          h('h2', { id: 'rules-versions' }, 'Versions'),
          h(
            'p',
            { class: 'quiet' },
            'A drift that a rule has hidden comes back with the next scan of its stack after the rule is removed.',
          ),
          versions,
        ),
    ];
  }

  const again = throttled(300, () => !document.querySelector('dialog[open]') && follow(), signal);
  /** Shows the new rules, unless that would discard a draft. */
  function follow() {
    if (saved && !isChanged()) read(true);
  }
  onLive('drift:rules_changed', again, signal);
  onLive('resync', again, signal);
  read(false);
}

const contentOf = ({ rules, alertThreshold }) => ({ rules, alertThreshold });

const savedBy = ({ version, savedBy: by, savedAt }) =>
  version > 0 &&
  h('p', { class: 'quiet' }, `Version ${version}, saved by `, nameOf(by), ' ', ago(savedAt, 'ago'));

function rehearseDraft(draft) {
  const trial = rehearsal();
  trial.run(draft);
  return openDialog(`Rehearsal of ${plural(draft.rules.length, 'rule')}`, () => trial.element, {
    wide: true,
  }).then(trial.stop);
}
