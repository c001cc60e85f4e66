// Saving rules: each save is rehearsed before, and can be undone after.

import { post, put } from '../../api.js';
import { openDialog } from '../../dialog.js';
import { cancel, form, inputField } from '../../fields.js';
import { explain, plural } from '../../format.js';
import { notify } from '../../notice.js';
import { nameOf } from '../../people.js';
import { changesView } from './changes.js';
import { rehearsal } from './rehearsal.js';
import { RULES, written } from './words.js';

const STAY_MS = 20_000;
const BACK = 'Drifts that the rules had hidden come back with the next scan of their stack.';

const ifMatch = (version) => ({ headers: { 'if-match': `"v${version}"` } });

/** Saves `set` as the version after `version`, and offers to undo that. */
export async function saveRules(set, version) {
  const body = {
    rules: set.rules.map(written),
    alertThreshold: set.alertThreshold ?? null,
    note: set.note || null,
  };
  const { data } = await put(RULES, body, ifMatch(version));
  notifySaved(data, `Saved as version ${data.version}.`, version);
  return data;
}

/** Puts an earlier version in force again, as the version after `version`. */
export async function restoreRules(restored, version) {
  const { data } = await post(`${RULES}/versions/${restored}/restore`, {}, ifMatch(version));
  return data;
}

function notifySaved({ version, ignored, rated }, text, before) {
  const effects = [
    ignored > 0 && `${plural(ignored, 'drift')} resolved as ignored.`,
    rated > 0 && `${plural(rated, 'drift')} rated again.`,
  ];
  const undo = {
    label: 'Undo',
    run: async () => {
      try {
        const restored = await restoreRules(before, version);
        notify(
          `Undone: version ${restored.version} has the rules of version ${before}. ${ignored > 0 ? BACK : ''}`,
          {
            tone: 'info',
          },
        );
      } catch (error) {
        notify(['Not undone. ', conflict(error) ?? explain(error)], { tone: 'error' });
      }
    },
  };
  notify([text, ...effects].filter(Boolean).join(' '), { action: undo, stayMs: STAY_MS });
}

/** Returns the explanation that somebody else saved rules in between, or undefined. */
export function conflict(error) {
  if (error.status !== 412) return undefined;
  const { version, by } = error.details;
  return [
    nameOf(by),
    ` saved version ${version} in between. Close this, look at the new rules, and make your change again.`,
  ];
}

/** Shows what would change, and asks before it saves. Resolves to true if the rules were saved. */
export function reviewRules(title, { before, after, version, action = 'Save rules', hasNote = true, send }) {
  return openDialog(
    title,
    (close) => {
      const changes = changesView(before, after);
      const trial = rehearsal({ done: (report) => submit().toggleAttribute('disabled', !report) });
      const save = async ({ note = '' }) => {
        await send({ ...after, note: note.trim() }, version);
        trial.stop();
        close(true);
      };
      const element = form(
        [
          changes,
          trial.element,
          hasNote &&
            inputField(
              'Why? (optional)',
              { name: 'note', maxlength: 500, autocomplete: 'off' },
              'Stored with the version.',
            ),
        ],
        { action, dialog: true, beside: cancel(close), send: save, reword: conflict },
      );
      const submit = () => element.querySelector('[type="submit"]');
      trial.run(after);
      return element;
    },
    { wide: true },
  );
}
