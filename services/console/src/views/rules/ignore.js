// "Ignore from here": a rule for a changed attribute of a drift, rehearsed at once.

import { get } from '../../api.js';
import { openDialog } from '../../dialog.js';
import { fill, h } from '../../dom.js';
import { cancel, form, inputField, selectField } from '../../fields.js';
import { rehearsal } from './rehearsal.js';
import { conflict, saveRules } from './save.js';
import { CLASSES, RULES, placesOf, textOf } from './words.js';

/** Asks where to ignore the attribute at `path` of a drift, and saves the rule above all others. */
export async function ignoreFromHere(drift, { path, label }) {
  const { data } = await get(RULES);
  const known = data.rules.filter(({ source }) => source === 'console').map(({ written }) => written);
  const places = placesOf(drift, path);
  return openDialog(
    `Ignore ${label} from here`,
    (close) => {
      const text = h('code', { class: 'breakable' });
      const trial = rehearsal({
        choose: ({ rules }) => rules[0],
        done: (report) => submit().toggleAttribute('disabled', !report),
      });
      const chosen = () => {
        const values = Object.fromEntries(new FormData(element));
        const [, , place] = places.find(([name]) => name === values.place);
        return { class: values.class, ...place, note: values.note.trim() };
      };
      const set = () => ({ rules: [chosen(), ...known], alertThreshold: data.consoleAlertThreshold });
      const element = form(
        [
          h(
            'fieldset',
            { class: 'rule-places' },
            h('legend', {}, 'Where?'),
            places.map(([name, title], at) =>
              h(
                'label',
                {},
                h('input', {
                  type: 'radio',
                  name: 'place',
                  value: name,
                  checked: at === 0,
                  on: { change: draw },
                }),
                h('span', {}, title),
              ),
            ),
          ),
          selectField('Class', { name: 'class', value: 'ignore' }, CLASSES.slice(0, 2)),
          h('p', { class: 'rule-text' }, h('span', { class: 'quiet' }, 'The rule: '), text),
          trial.element,
          inputField('Why? (optional)', { name: 'note', maxlength: 500, autocomplete: 'off' }),
        ],
        { action: 'Save rule', dialog: true, beside: cancel(close), send, reword: conflict },
      );
      const submit = () => element.querySelector('[type="submit"]');
      async function send() {
        const { note } = chosen();
        await saveRules({ ...set(), note: note || `${label} of ${drift.address}` }, data.version);
        trial.stop();
        close(true);
      }
      function draw() {
        fill(text, textOf(chosen()));
        trial.run(set());
      }
      element.elements.class.addEventListener('change', draw);
      draw();
      return element;
    },
    { wide: true },
  );
}
