import { isGenerated } from '../../experiment/scoring';
import { NONE } from './choice-writing';
import type { ChoiceSequence, ChoiceText } from './choice-text';
import { argmax, crossEntropy, softmax } from '../softmax';

/** The numbers that are kept of a sequence: the log-probability of its answer, and its tokens. */
export function likelihood({ ids, from, to }: ChoiceSequence, logits: Float32Array): [number, number] {
  const vocabulary = logits.length / ids.length;
  let sum = 0;
  for (let t = from; t < to; t++)
    sum -= crossEntropy(logits.subarray((t - 1) * vocabulary, t * vocabulary), ids[t]);
  return [sum, to - from];
}

/** A model's answer to a question. */
export interface Answered {
  /** The index of a choice; undefined if the model wrote a text that names none. */
  predicted: number | undefined;
  /**
   * The probability of each choice, if they were compared: the softmax of their log-probabilities, normalized if the
   * scoring is.
   */
  probabilities: Float64Array | undefined;
  /** The loss of the right answer, for each of its tokens. */
  loss: number;
}

/** @param kept two numbers for each sequence of the example, and for a text that the model wrote the choice in it */
export function answeredOf(example: ChoiceText, kept: Float32Array): Answered {
  const { choices, scoring, answer } = example;
  if (isGenerated(scoring)) {
    const [sum, tokens, named] = kept;
    return { predicted: named === NONE ? undefined : named, probabilities: undefined, loss: -sum / tokens };
  }
  const scores = choices.map((choice, i) =>
    scoring === 'normalized-likelihood' ? kept[2 * i] / [...choice].length : kept[2 * i],
  );
  return {
    predicted: argmax(scores),
    probabilities: softmax(scores),
    loss: -kept[2 * answer] / kept[2 * answer + 1],
  };
}
