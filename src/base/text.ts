import { t } from './l10n';
import { count } from './number-text';

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/**
 * Cuts a string in its middle: names that begin alike often differ at their end.
 *
 * @param most characters of the result, at least 3
 */
export function cutMiddle(text: string, most: number): string {
  const all = [...text];
  if (all.length <= most) return text;
  const end = Math.floor((most - 1) / 2);
  return `${all.slice(0, most - 1 - end).join('')}…${all.slice(all.length - end).join('')}`;
}

/** A git commit as git abbreviates it. */
export const shortCommit = (commit: string): string => commit.slice(0, 10);

/** The first names, and the number of the others: "a, b and 3 more". */
export const someNames = (names: readonly string[], most: number): string => {
  const shown = names.slice(0, most).join(', ');
  return names.length > most ? t('{0} and {1} more', shown, count(names.length - most)) : shown;
};

/** The options in a sentence: `a, b or c`. */
export const either = (options: readonly string[]): string =>
  options.length < 2 ? options.join('') : `${options.slice(0, -1).join(', ')} or ${options.at(-1)}`;
