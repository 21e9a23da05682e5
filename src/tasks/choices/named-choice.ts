/** Characters with a meaning in a regular expression. */
const SPECIAL = /[\\^$.*+?()[\]{}|/]/g;

/**
 * The index of the choice that a text names first; undefined if it names none. If several choices with a common
 * beginning are there, the longest one counts.
 *
 * @param whole true if a choice must not be a part of a longer word, as "a" is of "answer"
 */
export function namedChoice(text: string, choices: readonly string[], whole: boolean): number | undefined {
  const longestFirst = choices
    .toSorted((a, b) => b.length - a.length)
    .map((choice) => choice.replace(SPECIAL, '\\$&'));
  const any = `(?:${longestFirst.join('|')})`;
  const pattern = whole ? `(?<![\\p{L}\\p{N}])${any}(?![\\p{L}\\p{N}])` : any;
  const found = new RegExp(pattern, 'u').exec(text);
  return found ? choices.indexOf(found[0]) : undefined;
}
