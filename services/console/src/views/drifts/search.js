// The search of the list: free text, and words that search one thing each.

import { h } from '../../dom.js';
import { icon } from '../../icons.js';

const PAUSE_MS = 250;
const LONGEST = 100;
const WORDS = {
  stack: 'stack:prod',
  attr: 'attr:instance_type',
  account: 'account:123',
  type: 'type:aws_instance',
  reason: 'reason:hotfix',
};

/** Returns the search field with its help. `set(name, value)` changes the address. */
export function searchBox(set) {
  let timer = 0;
  const helpId = 'search-help';
  const input = h('input', {
    type: 'search',
    class: 'search-input',
    placeholder: 'Search address, stack, path …',
    'aria-label': 'Search drifts',
    'aria-keyshortcuts': '/',
    'aria-describedby': helpId,
    maxlength: LONGEST,
    on: {
      input() {
        clearTimeout(timer);
        timer = setTimeout(() => set('q', input.value.trim()), PAUSE_MS);
      },
    },
  });
  const add = (word) => {
    input.value = [input.value.trim(), `${word}:`].filter(Boolean).join(' ');
    input.focus();
  };
  const help = h(
    'div',
    { class: 'search-help' },
    h('p', { id: helpId }, 'Text of the address, id, type, stack, account, changed path or reason. Words search one of them:'),
    h(
      'div',
      { class: 'search-words' },
      Object.entries(WORDS).map(([word, example]) =>
        h('button', { class: 'tag', type: 'button', on: { click: () => add(word) } }, h('code', {}, example)),
      ),
    ),
  );
  return {
    element: h('div', { class: 'search' }, icon('search'), input, help),
    show(query) {
      if (document.activeElement !== input) input.value = query.get('q') ?? '';
    },
  };
}

/** Returns a link that searches all drifts for a value. A value with spaces cannot follow a word. */
export function searchFor(word, value) {
  const q = (/\s/.test(value) ? value : `${word}:${value}`).slice(0, LONGEST);
  return h(
    'a',
    {
      class: 'search-for',
      href: `#/drifts?${new URLSearchParams({ q })}`,
      'aria-label': `Search for ${q}`,
      title: 'Search for this',
    },
    icon('search'),
  );
}
