import { argmax } from '../../tasks/softmax';
import type { Decoder, DecoderOptions } from './decoder';

/** Always the most likely token; of equal ones, the first. */
export function greedy({ prompt, maxTokens, ends }: DecoderOptions): Decoder {
  const made: number[] = [];
  let hasEnded = false;
  return {
    wanted: () => (hasEnded || made.length >= maxTokens ? [] : [[...prompt, ...made]]),
    continued: () => [0],
    take([logits]) {
      const token = argmax(logits);
      hasEnded = ends.has(token);
      if (!hasEnded) made.push(token);
    },
    written: () => made,
  };
}
