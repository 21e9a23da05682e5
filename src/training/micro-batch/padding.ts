import { sizesOf } from '../../data/dataset';
import type { Evaluator } from '../../engine/stepper';
import { initialParameters, type Task } from '../task/task';
import { isOutOfMemory } from './out-of-memory';

/** Relative to the largest logit. A model that masks its padding differs only by rounding. */
const EQUAL = 1e-5;

/**
 * True if a text gives the same logits regardless of padding, tested by running the shortest one both ways. A mask
 * input does not guarantee it: convolutions and means may ignore it.
 */
export async function ignoresPadding(evaluator: Evaluator, task: Task): Promise<boolean> {
  const { dataset } = task.data.train;
  const lengths = Array.from(sizesOf(dataset));
  const [shortest, longest] = lengths.reduce(([a, b], n) => [Math.min(a, n), Math.max(b, n)], [Infinity, 0]);
  if (shortest === longest) return true;
  const text = [lengths.indexOf(shortest)];
  // Initial values, not the current ones: a resumed run must get the same result.
  const parameters = initialParameters(task);
  const logits = async (length: number) =>
    (await evaluator.evaluate(await task.feeds(dataset, text, length), parameters)).logits
      .data as Float32Array;
  try {
    // Padding to twice its length shows it as well as padding to the longest text, with no more memory.
    const own = await logits(shortest);
    const padded = await logits(Math.min(longest, 2 * shortest + 1));
    const largest = own.reduce((m, x) => Math.max(m, Math.abs(x)), 0);
    return own.every((x, i) => Math.abs(x - padded[i]) <= EQUAL * largest);
  } catch (e) {
    if (isOutOfMemory(e)) return false;
    throw e;
  }
}
