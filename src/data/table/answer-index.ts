/**
 * The choice that an answer means. A number is an index from 0. A string is the name of a choice, its text, its letter
 * (A for the first), or its index in digits, in this order.
 *
 * @param names of the choices, where the data have them
 */
export function answerIndex(
  value: unknown,
  choices: readonly string[],
  names: readonly string[] = [],
): number | undefined {
  if (typeof value === 'number') return within(value, choices);
  const text = String(value).trim();
  const found = [names.indexOf(text), choices.indexOf(text)].find((i) => i >= 0);
  if (found !== undefined) return found;
  if (/^[A-Za-z]$/.test(text)) return within(text.toUpperCase().charCodeAt(0) - CODE_OF_A, choices);
  return /^\d+$/.test(text) ? within(Number(text), choices) : undefined;
}

const CODE_OF_A = 65;

const within = (index: number, choices: readonly string[]): number | undefined =>
  Number.isInteger(index) && index >= 0 && index < choices.length ? index : undefined;
