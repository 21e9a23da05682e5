import type { Dataset } from '../../data/dataset';
import { placeName, type Place } from '../../engine/place';
import type { Evaluator } from '../../engine/stepper';
import { AuroraError } from '../../base/errors';
import type { Task } from '../task/task';
import { isOutOfMemory } from './out-of-memory';
import { ignoresPadding } from './padding';
import { cutBatch, halved, partSize, type Part, type PartLimit } from './parts';
import { Reserve } from './reserve';

/** A training step keeps what its backward pass needs; an evaluation keeps little. */
export type Pass = 'step' | 'evaluation';

/** What a run has learned of its memory; a checkpoint holds it, so that a resume cuts the same parts. */
export interface KnownLimits {
  /** The place it was learned on, as `placeName` says it; another has other memory. */
  place: string;
  /** Padded tokens at once; left out where every batch has fitted. */
  step?: number;
  evaluation?: number;
}

/**
 * Cuts batches into parts that fit into memory: at most training.microBatchSize examples, and where the engine finds
 * no room, half of what was tried, from there on. What is summed over the parts is that of the whole batch.
 */
export class MicroBatches {
  private readonly tokens: Partial<Record<Pass, number>>;
  /** Whether padding changes nothing; asked when first something is cut. */
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

  /** Examples of one length that are run at once. */
  size(pass: Pass, length: number): number {
    return partSize(this.limit(pass), length);
  }

  /** No more than so many padded tokens at once from here on. */
  restrict(pass: Pass, tokens: number): void {
    this.tokens[pass] = Math.min(tokens, this.limit(pass).tokens);
  }

  /**
   * Runs a batch in parts that fit, anew with smaller ones where they do not: so what comes out depends on the batch
   * and the limits alone.
   *
   * @param run takes all parts of the batch and adds up what they give; may be called several times
   * @throws AuroraError 'memory' where a single example does not fit
   */
  async run<T>(
    pass: Pass,
    dataset: Dataset,
    batch: readonly number[],
    run: (parts: readonly Part[]) => Promise<T>,
  ): Promise<T> {
    const lengthOf = (i: number) => dataset.examples[i].size;
    let tried: readonly Part[] | undefined;
    for (;;) {
      let parts = cutBatch(batch, lengthOf, this.limit(pass), true);
      if (parts.length > 1 && !(await this.trimsPadding()))
        parts = cutBatch(batch, lengthOf, this.limit(pass), false);
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
    return `${batch} of ${indices.length} × ${length} tokens does not fit into memory on ${this.place.device}: ${now} are run at a time from here on, with the same result.`;
  }

  private oneDoesNotFit(pass: Pass, parts: readonly Part[], cause: unknown): AuroraError {
    const length = Math.max(...parts.map((p) => p.length));
    const { gradientCheckpointing } = this.task.spec.training;
    return new AuroraError(
      'memory',
      `A single text of ${length} tokens does not fit into memory on ${this.place.device}.`,
      pass === 'step' && !gradientCheckpointing
        ? 'Set training.gradientCheckpointing to true: it takes less memory, and gives the same gradients.'
        : `Lower model.maxLength, which is ${this.task.spec.model.maxLength}.`,
      { cause },
    );
  }
}
