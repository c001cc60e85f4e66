// The fields of the rules of a destination.

import { h } from '../../dom.js';
import { field, selectField } from '../../fields.js';
import { eventFields } from './event_types.js';
import { listIn } from './kinds.js';
import { SEVERITY_OPTIONS } from './words.js';

/** Returns the fields, and a function that returns the rules of the values of the form. */
export function ruleFields(rules) {
  const events = eventFields(rules.events);
  // The API takes `info` for every severity too.
  const least = SEVERITY_OPTIONS.some(([value]) => value === rules.minSeverity) ? rules.minSeverity : '';
  const list = (label, name, hint, placeholder) =>
    field(
      label,
      h('textarea', {
        name: `rules.${name}`,
        rows: 2,
        spellcheck: 'false',
        placeholder,
        value: rules[name].join('\n'),
      }),
      hint,
    );
  return {
    element: [
      events.element,
      selectField('Severity', { name: 'rules.minSeverity', value: least }, SEVERITY_OPTIONS),
      list('Stacks (optional)', 'stacks', 'Names or patterns, one in a line. Empty: every stack.', 'prod-*'),
      list('Accounts (optional)', 'accounts', 'Ids, one in a line. Empty: every account.'),
    ],
    rules: (values) => ({
      events: events.patterns(),
      minSeverity: values['rules.minSeverity'] || null,
      stacks: listIn(values['rules.stacks']),
      accounts: listIn(values['rules.accounts']),
    }),
  };
}
