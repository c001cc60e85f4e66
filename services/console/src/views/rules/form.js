// The dialog for one rule.

import { openDialog } from '../../dialog.js';
import { cancel, form, inputField, selectField } from '../../fields.js';
import { CLASSES, textOf } from './words.js';

/** Asks for a rule. Resolves to it, or to undefined. `others` are the other rules of the list. */
export function editRule(title, { rule = { class: 'ignore' }, others, action }) {
  return openDialog(title, (close) => {
    const send = (values) => {
      const [pattern, stack, note] = [values.pattern, values.stack, values.note].map((text) => text.trim());
      const edited = { class: values.class, pattern, stack: stack || null, note: note || null };
      if (others.some((other) => textOf(other) === textOf(edited)))
        throw Object.assign(new Error('The list has this rule already.'), { input: 'pattern' });
      close(edited);
    };
    return form(
      [
        selectField('Class', { name: 'class', value: rule.class }, CLASSES),
        inputField(
          'Pattern',
          {
            name: 'pattern',
            required: true,
            maxlength: 512,
            autocomplete: 'off',
            spellcheck: 'false',
            class: 'mono',
            value: rule.pattern ?? '',
            placeholder: 'aws_instance.*.tags',
          },
          'address or address.path. * stands for any characters. A pattern with a path never hides a deleted resource.',
        ),
        inputField(
          'Stack (optional)',
          {
            name: 'stack',
            maxlength: 256,
            autocomplete: 'off',
            spellcheck: 'false',
            value: rule.stack ?? '',
            placeholder: 'prod/*',
          },
          'Empty: every stack.',
        ),
        inputField('Note (optional)', {
          name: 'note',
          maxlength: 500,
          autocomplete: 'off',
          value: rule.note ?? '',
        }),
      ],
      {
        action,
        dialog: true,
        beside: cancel(close),
        send,
        blame: (error, { elements }) => (error.input ? elements[error.input] : null),
      },
    );
  });
}
