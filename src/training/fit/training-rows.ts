import { permuted, Stream } from '../../base/random';
import type { TrainingPass } from '../../data/dataset';
import { isPictureData } from '../diffusion/encode-data';
import type { Task } from '../task/task';

export type FitPart = 'fitted' | 'held-out';

/** Rows that run through the model at once. */
export interface DrawnRows {
  indices: number[];
  /** Where inputs are drawn in each epoch: an evaluation has none for training rows. */
  pass?: TrainingPass;
}

/** The distance between held-out rows. */
const HELD_OUT = 5;

/**
 * Training rows in the order of one permutation of all of them, so that any number of them is spread over the whole file
 * and the same for the same seed. Of data that stay on disk, only those that are asked for are read. Of five rows, the
 * second is held out. Pictures are drawn again with other noise when all of them have been used, as in a training epoch.
 */
export class TrainingRows {
  private readonly length: number;
  private readonly order: Generator<number, void>;
  private readonly drawn: number[] = [];
  private readonly seed: number;
  private readonly isDrawn: boolean;
  private readonly next: Record<FitPart, number> = { fitted: 0, 'held-out': 0 };

  constructor({ data, spec }: Task) {
    this.seed = spec.training.seed;
    this.length = data.train.dataset.examples.length;
    this.order = permuted(this.length, this.seed, Stream.fit);
    this.isDrawn = isPictureData(data);
  }

  /** False if there is a single row. */
  get canHoldOut(): boolean {
    return this.isDrawn || this.length > 1;
  }

  /** Starts over with the first row of a part. */
  restart(part: FitPart): void {
    this.next[part] = 0;
  }

  /** The next rows of a part, at most this many; undefined if none is left. */
  take(part: FitPart, most: number): DrawnRows | undefined {
    const { length } = this;
    const indices: number[] = [];
    let epoch = 0;
    for (let at = this.next[part]; indices.length < most; at++) {
      if (at >= length && !this.isDrawn) break;
      if ((at % HELD_OUT === 1) !== (part === 'held-out')) continue;
      const own = Math.floor(at / length);
      if (indices.length > 0 && own !== epoch) break;
      epoch = own;
      indices.push(this.rowAt(at % length));
      this.next[part] = at + 1;
    }
    if (indices.length === 0) return undefined;
    return { indices, ...(this.isDrawn && { pass: { seed: this.seed, epoch } }) };
  }

  private rowAt(place: number): number {
    while (this.drawn.length <= place) this.drawn.push(this.order.next().value!);
    return this.drawn[place]!;
  }
}
