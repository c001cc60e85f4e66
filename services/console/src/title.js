// The title and the icon of the tab: the object that is shown, and the number of unread alerts.

const NAME = 'DriftSentry';
const MOST = 99;
const ICON = 'favicon.svg';

let shown = [];
let unread = 0;

/** Names what is shown, from the object to the view. */
export function setTitle(...parts) {
  shown = parts.filter(Boolean);
  draw();
}

export function setUnread(count) {
  if (count === unread) return;
  unread = count;
  draw();
  document.querySelector('link[rel="icon"]').href = unread > 0 ? badged(number()) : ICON;
}

const number = () => (unread > MOST ? `${MOST}+` : String(unread));

function draw() {
  document.title = [unread > 0 && `(${number()})`, [...shown, NAME].join(' · ')].filter(Boolean).join(' ');
}

/** Returns the icon with a number. Only digits and `+` get into the drawing. */
function badged(text) {
  const drawing = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#0f1720"/><path d="M5 11h22" stroke="#7d8b99" stroke-width="2.4" stroke-linecap="round" stroke-dasharray="1 4.4" fill="none"/><path d="M5 11c9 0 9 11 18 11h4" stroke="#46c8ae" stroke-width="2.6" stroke-linecap="round" fill="none"/><rect x="${text.length > 1 ? 8 : 14}" y="14" width="${text.length > 1 ? 24 : 18}" height="18" rx="9" fill="#b4232a"/><text x="${text.length > 1 ? 20 : 23}" y="28.500" font-family="sans-serif" font-size="${text.length > 2 ? 11 : 15}" font-weight="700" text-anchor="middle" fill="#ffffff">${text}</text></svg>`;
  return `data:image/svg+xml,${encodeURIComponent(drawing)}`;
}
