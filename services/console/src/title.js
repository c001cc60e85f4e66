// The title and the icon of the tab: the object that is shown, and the number of unread alerts.

const NAME = 'DriftSentry';
const MOST = 99;
/** `favicon.svg`; a number is added to it. */
const DRAWING =
  '<rect width="32" height="32" rx="7" fill="#0f1720"/><path d="M5 11h22" stroke="#7d8b99" stroke-width="2.4" stroke-linecap="round" stroke-dasharray="1 4.4" fill="none"/><path d="M5 11c9 0 9 11 18 11h4" stroke="#46c8ae" stroke-width="2.6" stroke-linecap="round" fill="none"/><circle cx="21" cy="22" r="3" fill="#46c8ae"/>';

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
  document.querySelector('link[rel="icon"]').href = icon(unread > 0 ? badge(number()) : '');
}

const number = () => (unread > MOST ? `${MOST}+` : String(unread));

function draw() {
  document.title = [unread > 0 && `(${number()})`, [...shown, NAME].join(' · ')].filter(Boolean).join(' ');
}

/** Returns the address of the icon. Only digits and `+` get into the drawing. */
const icon = (more) =>
  `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">${DRAWING}${more}</svg>`)}`;

function badge(text) {
  const [left, size] = text.length > 1 ? [8, text.length > 2 ? 11 : 15] : [14, 15];
  return `<rect x="${left}" y="14" width="${32 - left}" height="18" rx="9" fill="#b4232a"/><text x="${16 + left / 2}" y="28" font-family="sans-serif" font-size="${size}" font-weight="700" text-anchor="middle" fill="#fff">${text}</text>`;
}
