import { sizeOf, type Dataset } from '../../data/dataset';
import { placeName, type Place } from '../../engine/place';
import type { Evaluator } from '../../engine/stepper';
import { AuroraError } from '../../base/errors';
import type { Task } from '../task/task';
import { defaultTokens, type Pass } from './default-parts';
import { isOutOfMemory } from './out-of-memory';
import { ignoresPadding } from './padding';
import { cutBatch, halved, partSize, type Part, type PartLimit } from './parts';
import { Reserve } from './reserve';

/** A run's known memory limits; stored in checkpoints so that a resume splits batches the same way. */
export interface KnownLimits {
  /** The place where they were found, as in `placeName`; other places have other memory. */
  place: string;
  /** Padded tokens at once; left out if every batch fitted so far. */
  step?: number;
  evaluation?: number;
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
    const { step, evaluation } = known?.place === placeName(place) ? known : {};
    this.tokens = { step, evaluation };
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
    if (microBatchSize !== undefined || engine !== 'onnxruntime' || device !== 'cpu') return limit;
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
    const batch = pass === 'step' ? 'A batch' : 'An evaluation batch';
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
