import type { Dataset, Example } from '../../data/dataset';
import type { Evaluator, Parameters } from '../../engine/stepper';
import type { Writing } from '../../tasks/kind';
import { openWriter } from '../generation/writer';
import type { MicroBatches } from '../micro-batch/micro-batches';
import type { Task } from '../task/task';

/** The answers that a run writes to be scored by them. */
export interface WritingCost {
  answers: number;
  /** New tokens of each at most: as many as the longest measured answer of the data has, within task.answers. */
  tokens: number;
  seconds: number;
}

/** Tokens that are written to measure the time of one. */
const MEASURED_TOKENS = 8;
/** Texts that are written side by side for it. */
const MEASURED_TEXTS = 32;

/**
 * Measures a few tokens of answers to some validation examples.
 *
 * @param answers of all evaluations
 * @returns undefined if nothing is written
 */
export async function writingCost(
  task: Task,
  evaluator: Evaluator,
  micro: MicroBatches,
  parameters: Parameters,
  answers: number,
): Promise<WritingCost | undefined> {
  const { kind, data } = task;
  const { dataset } = data.validation;
  const examples = firstOf(dataset, MEASURED_TEXTS);
  const writings = examples.flatMap((example) => kind.compared?.writing(example) ?? []);
  if (writings.length === 0) return undefined;
  const longest = Math.max(...writings.map(({ maxTokens }) => maxTokens));
  // One token more ends an answer.
  const inData = 1 + Math.max(...examples.map((example) => kind.weight(example)));
  const tokens = Math.min(longest, inData);
  const writer = await openWriter(evaluator, task, micro, dataset, parameters);
  try {
    const time = async (most: number) => {
      const began = performance.now();
      await writer.write(writings.map((writing) => endless(writing, most)));
      return (performance.now() - began) / 1000;
    };
    const few = Math.min(MEASURED_TOKENS, tokens);
    // The first one also warms up.
    await time(1);
    const first = await time(1);
    const step = few > 1 ? Math.max(0, (await time(few)) - first) / (few - 1) : 0;
    const each = (first + (tokens - 1) * step) / writings.length;
    return { answers, tokens, seconds: answers * each };
  } finally {
    await writer.dispose();
  }
}

const firstOf = ({ examples }: Dataset, count: number): Example[] =>
  Array.from({ length: Math.min(count, examples.length) }, (_, i) => examples.at(i)!);

/** A writing with this many new tokens, whatever the model writes. */
const endless = (writing: Writing, tokens: number): Writing => ({
  ...writing,
  maxTokens: tokens,
  ends: new Set(),
  isOver: () => false,
});
