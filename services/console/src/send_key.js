// The keys that send what the user typed: Ctrl Enter, Cmd Enter and Shift Enter, in every form.

export const isSendKey = ({ key, ctrlKey, metaKey, shiftKey, isComposing }) =>
  key === 'Enter' && (ctrlKey || metaKey || shiftKey) && !isComposing;

/** Sends the form of the focused field. A field that handled the key itself is left alone. */
export function sendFormsByKey(signal) {
  const pressed = (event) => {
    const { form } = event.target;
    if (
      event.defaultPrevented ||
      !isSendKey(event) ||
      !form ||
      !event.target.matches('input, select, textarea')
    )
      return;
    event.preventDefault();
    form.requestSubmit();
  };
  document.addEventListener('keydown', pressed, { signal });
}
