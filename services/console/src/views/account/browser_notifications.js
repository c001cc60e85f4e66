// The choice to be notified in this browser.

import { choices, isSupported, keepChoices, showNotification } from '../../browser_notifications.js';
import { fill, h } from '../../dom.js';
import { inputField, selectField } from '../../fields.js';
import { busy } from '../../states.js';

const SEVERITIES = [
  ['info', 'any severity'],
  ['warning', 'warning or critical'],
  ['critical', 'critical'],
];
const UNSUPPORTED = 'This browser shows notifications only of pages with https.';
const BLOCKED =
  'This browser blocks notifications of this page. Allow them in the settings of the page, next to its address, and try again.';
const NO_WINDOW = 'This browser shows no notifications of a page that is not installed. Try a computer.';

export function browserNotifications() {
  const told = h('p', { class: 'hint', role: 'status' });
  const box = h('input', { type: 'checkbox', on: { change: () => busy(box, toggle) } });
  const { isOn, minSeverity, stacks } = choices();
  const severity = selectField('Severity', { name: 'severity', value: minSeverity }, SEVERITIES);
  const pattern = inputField(
    'Stacks (optional)',
    {
      name: 'stacks',
      autocomplete: 'off',
      spellcheck: 'false',
      maxlength: 500,
      placeholder: 'prod-*, network',
      value: stacks.join(', '),
    },
    'Names or patterns, separated by commas. Empty: every stack.',
  );
  const details = h('div', { class: 'dialog-part', on: { change: keep } }, severity, pattern);

  async function toggle() {
    if (box.checked) {
      const trouble = await firstTrouble();
      if (trouble) {
        box.checked = false;
        keep();
        return draw(trouble);
      }
    }
    keep();
    return draw();
  }

  function keep() {
    keepChoices({
      isOn: box.checked,
      minSeverity: severity.querySelector('select').value,
      stacks: pattern
        .querySelector('input')
        .value.split(',')
        .map((text) => text.trim())
        .filter(Boolean),
    });
  }

  function draw(text = 'Shown about new drifts and alerts while the console is open, but not visible.') {
    details.hidden = !box.checked;
    fill(told, text);
  }

  box.checked = isOn && isSupported() && Notification.permission === 'granted';
  box.disabled = !isSupported();
  if (!isSupported()) draw(UNSUPPORTED);
  else if (isOn && !box.checked) draw(BLOCKED);
  else draw();
  return h(
    'div',
    { class: 'dialog-part' },
    h('label', { class: 'check' }, box, 'Notify me in this browser'),
    told,
    details,
  );
}

/** Asks for the permission and shows a first notification. Returns why that is not possible, or null. */
async function firstTrouble() {
  if ((await Notification.requestPermission()) !== 'granted') return BLOCKED;
  try {
    showNotification('Notifications are on', { body: 'DriftSentry will notify you here.', tag: 'on' });
    return null;
  } catch {
    return NO_WINDOW;
  }
}
