// Reasons that a user has begun to write, per drift. They outlast a reload and visits to other drifts, stay in this
// tab, and end with the session.

import * as session from '../../session.js';

const KEY = 'driftsentry.drafts';
/** The oldest draft makes room for a new one. */
const MOST = 50;

export const draftOf = (id) => new Map(read()).get(id) ?? '';

/** Keeps the text, or deletes the draft if the text is empty. */
export function keepDraft(id, text) {
  const others = read().filter(([other]) => other !== id);
  const drafts = text.trim() ? [...others, [id, text]] : others;
  if (drafts.length > 0) sessionStorage.setItem(KEY, JSON.stringify(drafts.slice(-MOST)));
  else sessionStorage.removeItem(KEY);
}

export const deleteDraft = (id) => keepDraft(id, '');

function read() {
  try {
    const drafts = JSON.parse(sessionStorage.getItem(KEY) ?? '[]');
    return Array.isArray(drafts) ? drafts.filter((draft) => Array.isArray(draft) && draft.length === 2) : [];
  } catch {
    return [];
  }
}

for (const event of ['ended', 'replaced']) session.on(event, () => sessionStorage.removeItem(KEY));
