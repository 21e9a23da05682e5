import type { Example } from '../data/dataset';

/** The text that a model is to write after a prompt, and the way to read it. */
export interface Writing {
  prompt: readonly number[];
  /** New tokens at most. */
  maxTokens: number;
  /** Texts that are continued at once, of which the most likely one counts; 1 for greedy decoding. */
  beams: number;
  /** Tokens that end the text. */
  ends: ReadonlySet<number>;
  /** A text so far, as an example in which nothing counts in a loss. */
  example(ids: readonly number[]): Example;
  /** A few numbers about the new tokens, kept after those of the sequences. */
  keep(tokens: readonly number[]): readonly number[];
}
