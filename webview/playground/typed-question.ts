import type { PlaySample } from '../../src/protocol/playground';

/** The typed fields; undefined for a model that does not read them. */
interface Typed {
  text: string;
  /** The spelling of a mask. */
  mask?: string | undefined;
  pair?: string | undefined;
  /** One a line. */
  choices?: string | undefined;
}

/** Without an empty field, and with something to choose from or to fill in. */
export const isAskable = ({ text, mask, pair, choices }: Typed): boolean =>
  [text, pair].every((typed) => typed?.trim() !== '') &&
  (mask === undefined || text.includes(mask)) &&
  (choices === undefined || choicesIn(choices).length > 1);

/** The lines of the field for choices, without empty ones. */
export const choicesIn = (typed: string): string[] =>
  typed
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);

/** The choices of a validation row, as its answers name them. */
export const choiceLines = ({ choices }: PlaySample): string | undefined => choices?.map(onLine).join('\n');

/** A choice as it stands on a line. */
export const onLine = (choice: string): string => choice.replace(/\s+/g, ' ').trim();
