// The button that starts a rule for a changed attribute. The dialog is loaded when it is needed.

import { h } from '../../dom.js';
import { explain } from '../../format.js';
import { icon } from '../../icons.js';
import { notify } from '../../notice.js';
import * as session from '../../session.js';
import { busy } from '../../states.js';
import { needStyles } from '../../styles.js';

const REFUSED = 'Only admins save rules. On the page Rules, you can rehearse one and show the result to an admin.';

/** Returns the button. For people who may not save rules, it says why. */
export function ignoreButton(drift, change) {
  const isAllowed = session.may('admin');
  const name = `Ignore ${change.label} from here`;
  const button = h(
    'button',
    {
      class: 'icon-button copy-button ignore-button',
      type: 'button',
      'aria-label': isAllowed ? name : `${name}. ${REFUSED}`,
      title: isAllowed ? name : REFUSED,
      'aria-disabled': String(!isAllowed),
      on: { click: () => (isAllowed ? busy(button, open) : notify(REFUSED, { tone: 'info' })) },
    },
    icon('blind'),
  );
  async function open() {
    try {
      const [{ ignoreFromHere }] = await Promise.all([import('../rules/ignore.js'), needStyles('rules')]);
      // The dialog stays open after the button is ready again.
      ignoreFromHere(drift, change).catch((error) => notify(explain(error), { tone: 'error' }));
    } catch {
      notify('The dialog did not load. Check your connection and try again.', { tone: 'error' });
    }
  }
  return button;
}
