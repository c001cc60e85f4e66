// Forms: fields with labels and hints, and one way to send them and to explain an error.

import { fill, h, newId } from './dom.js';
import { explain } from './format.js';
import { busy } from './states.js';

/** Returns a label above an input, select or text area. Screen readers read the hint as well. */
export function field(label, input, hint) {
  input.id ||= newId(input.name || 'field');
  const hintId = `${input.id}-hint`;
  if (hint) input.setAttribute('aria-describedby', hintId);
  return h(
    'div',
    { class: 'field' },
    h('label', { for: input.id }, label),
    input,
    hint && h('p', { class: 'hint', id: hintId }, hint),
  );
}

/** Returns a field with an input. `properties` has at least `name`. */
export const inputField = (label, properties, hint) => field(label, h('input', properties), hint);

/** Returns a field with a select; `options` has pairs of value and label. */
export function selectField(label, properties, options, hint) {
  const { value, ...others } = properties;
  const choices = options.map(([key, text]) => h('option', { value: key, selected: key === value }, text));
  return field(label, h('select', { class: 'select', ...others }, choices), hint);
}

/** Returns the field of a new password, which can be shown: it is typed only once. */
export function newPassword(name, label = 'New password', consequence = '') {
  const input = h('input', { name, type: 'password', autocomplete: 'new-password', required: true });
  const show = h('button', { class: 'link-button show-password', type: 'button', on: { click: toggle } });
  function toggle() {
    input.type = input.type === 'password' ? 'text' : 'password';
    draw();
  }
  const draw = () =>
    fill(show, input.type === 'password' ? 'Show' : 'Hide', h('span', { class: 'unseen' }, ' password'));
  draw();
  const element = field(label, input, `At least 8 characters. ${consequence}`.trim());
  element.classList.add('field-password');
  element.append(show);
  return element;
}

export const currentPassword = (hint) =>
  inputField(
    'Current password',
    { name: 'currentPassword', type: 'password', autocomplete: 'current-password', required: true },
    hint,
  );

/** Tells a password manager which user the password of the form belongs to. */
export const passwordOwner = (email) =>
  h('input', {
    class: 'unseen',
    type: 'text',
    autocomplete: 'username',
    value: email,
    tabindex: '-1',
    'aria-hidden': 'true',
    readonly: true,
  });

/**
 * Returns a form whose button `action` calls `send(values, form)`. An error is explained above the button, and the
 * focus moves to the field that caused it. `reword(error)` may return a better explanation, and `blame(error, form)` the
 * field.
 * `beside` has further buttons, and `tone` is a class of the button. `inPlace` explains an error at its field instead.
 */
export function form(
  parts,
  { action, send, reword, blame, tone = 'button-primary', beside, dialog = false, inPlace = false },
) {
  const told = h('p', { class: 'form-error', role: 'alert', hidden: true });
  const submit = h('button', { class: `button ${tone}`, type: 'submit' }, action);
  const actions = dialog ? h('div', { class: 'dialog-actions' }, beside, submit) : null;
  const element = h(
    'form',
    { novalidate: true },
    parts,
    told,
    actions ?? [submit, beside],
  );
  const inputs = () => [...element.elements].filter(({ name }) => name);
  const nameOf = (input) => input.labels[0].textContent.replace(/ \(.*/, '');
  // Else the focus of a dialog begins on the button that closes it.
  if (dialog) inputs()[0].autofocus = true;
  const complain = (text, input) => {
    const place = inPlace && input?.closest('.field');
    if (place) place.append(told);
    else (actions ?? submit).before(told);
    told.hidden = false;
    fill(told, text);
    input?.setAttribute('aria-invalid', 'true');
    input?.focus();
  };
  const calm = () => {
    // Of two forms next to each other, only the one that was sent last explains an error.
    for (const shown of element.parentElement.querySelectorAll('.form-error')) shown.hidden = true;
    for (const input of element.parentElement.querySelectorAll('[aria-invalid]'))
      input.removeAttribute('aria-invalid');
  };
  if (inPlace)
    element.addEventListener('input', ({ target }) => {
      if (!target.closest('.field')?.contains(told)) return;
      told.hidden = true;
      target.removeAttribute('aria-invalid');
    });
  element.addEventListener('submit', (event) => {
    event.preventDefault();
    calm();
    const missing = inputs().find((input) => input.required && !input.value.trim());
    if (missing) return complain(`${nameOf(missing)} is missing.`, missing);
    return busy(submit, async () => {
      try {
        await send(Object.fromEntries(new FormData(element)), element);
      } catch (error) {
        const named = inputs().find(({ name }) => error.field?.(name));
        const usual = inPlace ? null : (inputs().find(({ type }) => type === 'password') ?? inputs()[0]);
        // The API names its own field, and the user knows the label.
        const text = named && `${nameOf(named)} ${error.field(named.name)}.`;
        complain(reword?.(error) ?? text ?? explain(error), blame?.(error, element) ?? named ?? usual);
      }
    });
  });
  return element;
}

/** Returns the button that closes a dialog without a change. */
export const cancel = (close) =>
  h('button', { class: 'button', type: 'button', on: { click: () => close() } }, 'Cancel');
