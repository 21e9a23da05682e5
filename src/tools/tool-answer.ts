import type { AuroraError } from '../base/errors';

/** Characters of an answer, about 5,000 tokens: more would crowd out the conversation. */
export const LONGEST = 16_000;

/** More than any metric is known to. */
const DIGITS = 6;

/** Facts as JSON; numbers that are not whole have six digits. */
export const facts = (value: unknown): string =>
  JSON.stringify(
    value,
    (_, v: unknown) => (typeof v === 'number' && !Number.isInteger(v) ? Number(v.toPrecision(DIGITS)) : v),
    1,
  );

/** True if an answer is not cut. */
export const isWhole = (text: string): boolean => text.length <= LONGEST;

/** An answer that states if it is cut. */
export const bounded = (text: string): string =>
  isWhole(text)
    ? text
    : `${text.slice(0, LONGEST)}\n… cut here: ${text.length - LONGEST} of ${text.length} characters are left out. Ask for less, such as a single run.`;

/** At most `most` of a list, evenly spread, with both ends. */
export function spread<T>(list: readonly T[], most: number): T[] {
  if (list.length <= most) return [...list];
  return Array.from({ length: most }, (_, i) => list[Math.round((i * (list.length - 1)) / (most - 1))]);
}

/** An answer as the language model reads it: facts as JSON, both bounded. */
export const answerText = (answer: object | string): string =>
  bounded(typeof answer === 'string' ? answer : facts(answer));

/** An error as the language model reads it, with the next step. */
export const errorAnswer = ({ message, hint }: Pick<AuroraError, 'message' | 'hint'>): string =>
  bounded([message, hint].filter(Boolean).join('\n'));
