import { sizeOf } from '../../data/dataset';
import { longestExamples } from '../../data/row-order';
import type { Place } from '../../engine/place';
import type { Parameters, Stepper } from '../../engine/stepper';
import { DropoutMasks } from '../optimizer/dropout';
import type { Task } from '../task/task';
import { availableMemory } from './available';
import { forwardBytes } from './default-parts';
import type { MicroBatches } from './micro-batches';
import { bytes } from '../../base/number-text';

/** Share of the available memory to use; the rest is left to other programs. */
const USED = 0.9;
/** The number of bytes by which Node's own heap may still grow. */
const HOST = 2 ** 25;
/** Nothing is measured if HELD copies of all forward tensors take less than this share of the available memory. */
const HELD = 3;
const HARMLESS = 0.25;
/**
 * Measuring stops before the whole batch once at least TELLING examples have run at a time (with fewer, one-time
 * allocations outweigh the memory of an example) and the memory suffices for CLEARLY times the remaining ones.
 */
const TELLING = 4;
const CLEARLY = 2;

/** Other devices have their own memory and throw when it runs out. */
const inMainMemory = ({ device }: Place): boolean => device === 'cpu' || device === 'wasm';

/**
 * Keeps the kernel from killing the process: if the longest batch might not fit, 1, 2, 4 … of its examples are run at a
 * time, and the memory growth per example gives the number that fits at once. A batch that fits runs as usual. Changes
 * no parameters; does nothing on systems that do not report available memory.
 *
 * @returns bytes per example of the longest batch; undefined if nothing was measured
 */
export async function lookAhead(
  task: Task,
  stepper: Stepper,
  micro: MicroBatches,
  parameters: Parameters,
  available: () => number | undefined = availableMemory,
): Promise<number | undefined> {
  const left = inMainMemory(micro.place) ? available() : undefined;
  if (left === undefined) return undefined;
  const { trainingSet: dataset } = task;
  const longest = longestBatch(task);
  const length = sizeOf(dataset, longest[0]);
  const whole = Math.min(longest.length, micro.size('step', length, longest.length));
  if (whole === 1 || HELD * forwardBytes(task, whole, length) < HARMLESS * left) return undefined;

  const dropout = new DropoutMasks(task, task.spec.training.seed);
  // Rows that only training has take memory too.
  const pass = { seed: task.spec.training.seed, epoch: 0 };
  const run = (indices: readonly number[]) =>
    micro.run('step', dataset, indices, async (parts) => {
      for (const part of parts) {
        const inputs = await task.feeds(dataset, part.indices, part.length, pass);
        const masks = dropout.masks(0, task.maskKeys(dataset, part.indices), part.length);
        await stepper.step({ ...inputs, ...masks }, parameters, 1 / part.indices.length);
        await stepper.evaluate(inputs, parameters);
      }
    });
  // The runtime keeps its allocations, so the resident size after a step is the step's peak.
  let before = process.memoryUsage.rss();
  let each = 0;
  for (let n = 1, more = 1; ; more = Math.min(n, whole - n), n += more) {
    await run(longest.slice(0, n));
    // The runtime ran out of memory first.
    if (micro.size('step', length) < n) return each;
    const now = process.memoryUsage.rss();
    each = Math.max(0, (now - before) / more);
    before = now;
    if (n === whole) return each;
    const room = Math.max(0, USED * (available() ?? Infinity) - HOST) / each;
    if (n >= TELLING && room >= CLEARLY * (whole - n)) return each;
    if (room < Math.min(n, whole - n)) {
      micro.restrict('step', (n + Math.floor(room)) * length);
      micro.restrict('evaluation', (n + Math.floor(room)) * length);
      micro.warn(
        `A batch of ${whole} × ${length} tokens would take about ${bytes(whole * each)} of memory, more than is available on ${micro.place.device}: it is run ${n + Math.floor(room)} at a time, with the same result.`,
      );
      return each;
    }
  }
}

/** A full batch of the longest training texts, or of the longest rows of them: no batch takes more. */
export const longestBatch = ({ trainingSet, spec }: Task): number[] =>
  longestExamples(trainingSet, spec.training.batchSize);
