// The links to the parts of a view.

import { h } from '../dom.js';

/** Returns the navigation, and the function that marks the link of the shown part. `parts` are names with labels. */
export function tabs(label, root, parts) {
  const links = parts.map(([name, text]) =>
    h('a', { class: 'tab', href: `#/${root}/${name}`, data: { name } }, text),
  );
  const mark = (chosen) => {
    for (const link of links) {
      if (link.dataset.name === chosen) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
  };
  return { nav: h('nav', { class: 'tabs', 'aria-label': label }, links), mark };
}
