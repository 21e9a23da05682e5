import { AuroraError } from '../base/errors';
import { offeredChoices } from '../data/table/choice-rows';
import { isGenerated } from '../experiment/scoring';
import type { Baseline } from '../protocol/baseline';
import { type ChoiceAnswers, choiceColumns, choiceShares } from '../protocol/answers/choice';
import type { Outputs } from '../protocol/outputs';
import { exampleColumns, marginOf, rounded } from './answers';
import { type ChoiceFormat, type ChoiceSequence, type ChoiceText, NONE } from './choice-text';
import type { Input } from './kind';
import { argmax, crossEntropy, softmax } from './softmax';
import type { DataSplit } from './task-data';

/** @param kept of each example, in data order */
export function choicePredictions(
  split: DataSplit<ChoiceText>,
  _: Outputs,
  kept: readonly Float32Array[],
): ChoiceAnswers {
  const { examples } = split.dataset;
  const all = examples.map((example, i) => answeredOf(example, kept[i]));
  const columns = choiceColumns({
    ...exampleColumns(split),
    loss: all.map(({ loss }) => rounded(loss)),
    margin: all.map(({ probabilities, predicted }) =>
      probabilities && predicted !== undefined ? rounded(marginOf(probabilities, predicted)) : 0,
    ),
    choices: examples.map(({ choices }) => choices.length),
    label: examples.map(({ answer }) => answer),
    predicted: all.map(({ predicted }, i) => predicted ?? examples.at(i)!.choices.length),
  });
  const shares = all.flatMap(({ probabilities }, example) =>
    [...(probabilities ?? [])].map((probability) => ({ example, probability: rounded(probability) })),
  );
  return {
    answer: 'choice',
    labels: [],
    scoring: examples.at(0)!.scoring,
    columns,
    shares: choiceShares({
      example: shares.map((s) => s.example),
      probability: shares.map((s) => s.probability),
    }),
  };
}

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

/**
 * The choices of a question that a person asks: those that come with it or, in the layout of Commonsense170K, those that
 * it offers.
 *
 * @throws AuroraError 'data' if there are fewer than two
 */
export function requireChoices({ text, choices }: Input, { lead }: ChoiceFormat): readonly string[] {
  const found = choices ?? (lead === undefined ? undefined : offeredChoices(text)) ?? [];
  if (found.length >= 2) return found;
  throw new AuroraError(
    'data',
    'The question has fewer than two choices.',
    lead === undefined
      ? 'Give the choices too; in a terminal, after the question, with a tab before each.'
      : 'End it as in the data, with a line such as "Answer format: answer1/answer2", or give the choices too.',
  );
}

type Choice = Pick<ChoiceText, 'answer' | 'offered'>;

/** Always the choice in the place that most right answers of the training data have, or any choice if that is better. */
export function mostFrequentChoice(train: Iterable<Choice>, validation: Iterable<Choice>): Baseline {
  const counts: number[] = [];
  for (const { answer } of train) counts[answer] = (counts[answer] ?? 0) + 1;
  const most = counts.reduce((best, n, i) => (n > (counts[best] ?? 0) ? i : best), 0);
  const always = meanOf(validation, ({ answer }) => (answer === most ? 1 : 0));
  const chance = meanOf(validation, ({ offered }) => 1 / offered);
  return always >= chance
    ? { answer: `always choice ${most + 1}`, metric: 'accuracy', value: always }
    : { answer: 'a random choice', metric: 'accuracy', value: chance };
}

function meanOf(all: Iterable<Choice>, valueOf: (one: Choice) => number): number {
  let [sum, count] = [0, 0];
  for (const one of all) {
    sum += valueOf(one);
    count++;
  }
  return sum / count;
}
