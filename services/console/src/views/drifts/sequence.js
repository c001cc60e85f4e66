// The differences between two sequences of texts: lines, or the words of a line. Pure functions.

/** Beyond this number of comparisons, everything between the equal ends counts as changed. */
const MOST_COMPARISONS = 1_000_000;
/** Below this share of equal letters, two texts have nothing in common that is worth a mark. */
const LEAST_SHARE = 0.3;
const WORDS = /[\p{L}\p{N}_]+|\s+|[^\p{L}\p{N}_\s]/gu;

/** Returns `[{sign: '−' | '+' | ' ', item}]`: the items of both arrays in order, equal ones once. */
export function compareSequences(left, right) {
  const shorter = Math.min(left.length, right.length);
  let start = 0;
  while (start < shorter && left[start] === right[start]) start += 1;
  let end = 0;
  while (end < shorter - start && left.at(-1 - end) === right.at(-1 - end)) end += 1;
  return [
    ...signed(' ', left.slice(0, start)),
    ...between(left.slice(start, left.length - end), right.slice(start, right.length - end)),
    ...signed(' ', left.slice(left.length - end)),
  ];
}

const signed = (sign, items) => items.map((item) => ({ sign, item }));

/** Finds the longest common subsequence. */
function between(left, right) {
  const cells = left.length * right.length;
  if (cells === 0 || cells > MOST_COMPARISONS) return [...signed('−', left), ...signed('+', right)];
  const width = right.length + 1;
  const longest = new Uint32Array((left.length + 1) * width);
  for (let row = left.length - 1; row >= 0; row -= 1) {
    for (let column = right.length - 1; column >= 0; column -= 1) {
      const here = row * width + column;
      longest[here] =
        left[row] === right[column]
          ? longest[here + width + 1] + 1
          : Math.max(longest[here + width], longest[here + 1]);
    }
  }
  const steps = [];
  let [row, column] = [0, 0];
  while (row < left.length && column < right.length) {
    const here = row * width + column;
    if (left[row] === right[column]) {
      steps.push({ sign: ' ', item: left[row] });
      [row, column] = [row + 1, column + 1];
    } else if (longest[here + width] >= longest[here + 1]) {
      steps.push({ sign: '−', item: left[row] });
      row += 1;
    } else {
      steps.push({ sign: '+', item: right[column] });
      column += 1;
    }
  }
  return [...steps, ...signed('−', left.slice(row)), ...signed('+', right.slice(column))];
}

/** Returns the runs `[{text, isChanged}]` of both texts, or null if they have little in common. */
export function compareWords(left, right) {
  const steps = compareSequences(left.match(WORDS) ?? [], right.match(WORDS) ?? []);
  const equal = steps.reduce((sum, { sign, item }) => sum + (sign === ' ' ? letters(item) : 0), 0);
  if (equal < LEAST_SHARE * Math.min(letters(left), letters(right)) || equal === 0) return null;
  const runs = (other) => steps.filter(({ sign }) => sign !== other).reduce(joined, []);
  return { left: runs('+'), right: runs('−') };
}

const letters = (text) => text.replace(/[^\p{L}\p{N}]/gu, '').length;

function joined(runs, { sign, item }) {
  const isChanged = sign !== ' ';
  if (runs.at(-1)?.isChanged === isChanged) runs.at(-1).text += item;
  else runs.push({ text: item, isChanged });
  return runs;
}

/** Returns the rows within `context` rows of a change, at most `most`, and `{gap}` for the rows left out. */
export function foldRows(rows, { context = 3, most = 40 } = {}) {
  const near = new Uint8Array(rows.length);
  rows.forEach(({ sign }, at) => {
    if (sign !== ' ') near.fill(1, Math.max(0, at - context), at + context + 1);
  });
  const folded = [];
  let shown = 0;
  for (const [at, row] of rows.entries()) {
    if (near[at] && shown < most) {
      folded.push(row);
      shown += 1;
    } else if (folded.at(-1)?.gap) folded.at(-1).gap += 1;
    else folded.push({ gap: 1 });
  }
  return folded;
}

/** Returns the runs with `{cut}` for the characters left out in long runs; the text next to a change is kept. */
export function foldRuns(runs, { beside = 60, changed = 400 } = {}) {
  return runs.flatMap(({ text, isChanged }, at) => {
    const head = isChanged ? changed : at > 0 ? beside : 0;
    const tail = isChanged ? 0 : at < runs.length - 1 ? beside : 0;
    // A fold that saves a few characters would be no help.
    const cut = text.length - head - tail;
    if (cut < 40) return [{ text, isChanged }];
    const kept = [
      { text: text.slice(0, head), isChanged },
      { cut },
      { text: text.slice(text.length - tail), isChanged },
    ];
    return kept.filter((run) => run.cut || run.text);
  });
}
