import { AuroraError } from '../../base/errors';
import { type Dataset, sizeOf, sizesOf } from '../../data/dataset';
import type { Place } from '../../engine/place';
import { placeName } from '../../protocol/device-words';
import type { Evaluator } from '../../engine/stepper';
import { initialParameters, type Task } from '../task/task';
import {
  cutBatch,
  defaultTokens,
  halved,
  type Part,
  type PartLimit,
  partSize,
  type Pass,
} from './default-parts';
import { isOutOfMemory } from './out-of-memory';

/** A run's known memory limits; stored in checkpoints so that a resume splits batches the same way. */
export interface KnownLimits {
  /** The place where they were found, as in `placeName`; other places have other memory. */
  place: string;
  /** Padded tokens at once; left out if every batch fitted so far, and for writing before the first answer. */
  step?: number;
  evaluation?: number;
  writing?: number;
}

/**
 * Splits batches into parts that fit into memory: at most training.microBatchSize examples and, once the engine runs
 * out of memory, half of the size that failed from then on. Large batches on the CPU have parts anyway
 * (`defaultTokens`). Sums over the parts equal those of the whole batch.
 */
export class MicroBatches {
  private readonly tokens: Partial<Record<Pass, number>>;
  /** True if padding has no effect; determined on the first split. */
  private trims: boolean | undefined;
  private readonly reserve = new Reserve();

  constructor(
    private readonly task: Task,
    private readonly evaluator: Evaluator,
    readonly place: Place,
    readonly warn: (message: string) => void,
    known?: KnownLimits,
  ) {
    const { step, evaluation, writing } = known?.place === placeName(place) ? known : {};
    this.tokens = { step, evaluation, writing };
  }

  known(): KnownLimits {
    return { place: placeName(this.place), ...this.tokens };
  }

  limit(pass: Pass): PartLimit {
    const examples = this.task.spec.training.microBatchSize ?? Infinity;
    return { examples, tokens: this.tokens[pass] ?? Infinity };
  }

  /**
   * The number of examples of this length that fit at once.
   *
   * @param of the number that are to be run; by default, memory alone counts
   */
  size(pass: Pass, length: number, of = Infinity): number {
    return partSize(of === Infinity ? this.limit(pass) : this.limitOf(pass, of, length), length);
  }

  /** The limit for a batch, padded to this length. */
  private limitOf(pass: Pass, examples: number, length: number): PartLimit {
    const limit = this.limit(pass);
    const { engine, device } = this.place;
    const { microBatchSize, precision } = this.task.spec.training;
    if (pass === 'writing' || microBatchSize !== undefined || engine !== 'onnxruntime' || device !== 'cpu')
      return limit;
    return {
      ...limit,
      tokens: Math.min(limit.tokens, defaultTokens({ pass, precision }, this.task, examples, length)),
    };
  }

  /** From here on, runs at most this many padded tokens at once. */
  restrict(pass: Pass, tokens: number): void {
    this.tokens[pass] = Math.min(tokens, this.limit(pass).tokens);
  }

  /**
   * Runs a batch in parts. If one does not fit, the whole batch runs again in smaller parts, so the result depends only
   * on the batch and the limits.
   *
   * @param run takes all parts of the batch and sums their results; may be called several times
   * @throws AuroraError 'memory' if a single example does not fit
   */
  async run<T>(
    pass: Pass,
    dataset: Dataset,
    batch: readonly number[],
    run: (parts: readonly Part[]) => Promise<T>,
  ): Promise<T> {
    const lengthOf = (i: number) => sizeOf(dataset, i);
    const length = Math.max(...batch.map(lengthOf));
    let tried: readonly Part[] | undefined;
    for (;;) {
      const limit = this.limitOf(pass, batch.length, length);
      let parts = cutBatch(batch, lengthOf, limit, true);
      if (parts.length > 1 && !(await this.trimsPadding())) parts = cutBatch(batch, lengthOf, limit, false);
      try {
        const result = await run(parts);
        if (tried) this.warn(this.doesNotFit(pass, tried, parts));
        return result;
      } catch (e) {
        if (!isOutOfMemory(e)) throw e;
        this.reserve.release();
        const tokens = halved(parts);
        if (tokens === undefined) throw this.oneDoesNotFit(pass, parts, e);
        this.restrict(pass, tokens);
        tried ??= parts;
      }
    }
  }

  private async trimsPadding(): Promise<boolean> {
    return (this.trims ??= await ignoresPadding(this.evaluator, this.task));
  }

  private doesNotFit(pass: Pass, tried: readonly Part[], parts: readonly Part[]): string {
    const [{ indices, length }] = tried;
    const batch = NAMES[pass];
    const now = Math.max(...parts.map((p) => p.indices.length));
    return `${batch} of ${indices.length} × ${length} tokens does not fit into memory on ${this.place.device}: from here on, it is run ${now} at a time, with the same result.`;
  }

  private oneDoesNotFit(pass: Pass, parts: readonly Part[], cause: unknown): AuroraError {
    const length = Math.max(...parts.map((p) => p.length));
    const { gradientCheckpointing } = this.task.spec.training;
    return new AuroraError(
      'memory',
      `A single example of ${length} tokens does not fit into memory on ${this.place.device}.`,
      pass === 'step' && !gradientCheckpointing
        ? 'Set training.gradientCheckpointing to true: it takes less memory and gives the same gradients.'
        : `Lower model.maxLength (now ${this.task.spec.model.maxLength}).`,
      { cause },
    );
  }
}

const NAMES: Record<Pass, string> = {
  step: 'A batch',
  evaluation: 'An evaluation batch',
  writing: 'A batch of written answers',
};

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

const BYTES = 2 ** 25;

interface ShrinkingBuffer {
  resize(bytes: number): void;
}

/** Node 20 has it; the ES2023 types do not. */
const Shrinking = ArrayBuffer as unknown as new (
  bytes: number,
  options: { maxByteLength: number },
) => ShrinkingBuffer;

/**
 * Untouched memory that is freed once the runtime has run out. The runtime takes the last byte before it reports this,
 * and Node ends the process at the next failed allocation.
 */
class Reserve {
  private readonly buffer: ShrinkingBuffer | undefined = setAside();

  /** Frees memory for Node's heap to grow into. */
  release(): void {
    this.buffer?.resize(0);
  }
}

/** Undefined if even this much is not available. A resizable buffer returns its pages at once when shrunk. */
function setAside(): ShrinkingBuffer | undefined {
  try {
    return new Shrinking(BYTES, { maxByteLength: BYTES });
  } catch {
    return undefined;
  }
}
