// The theme: light, dark, or the system setting. Stored on this device.

const KEY = 'driftsentry.theme';
const THEMES = ['auto', 'light', 'dark'];

export const theme = () => (THEMES.includes(localStorage.getItem(KEY)) ? localStorage.getItem(KEY) : 'auto');

export function applyTheme() {
  document.documentElement.dataset.theme = theme();
}

/** Switches to the next theme and returns its name. */
export function nextTheme() {
  localStorage.setItem(KEY, THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length]);
  applyTheme();
  return theme();
}
