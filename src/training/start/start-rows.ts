import { permuted, Stream } from '../../base/random';
import type { TrainingPass } from '../../data/dataset';
import { isPictureData } from '../diffusion/encode-data';
import type { Task } from '../task/task';

/** Training rows of one reading. */
export interface ReadRows {
  indices: number[];
  /** Where inputs are drawn in each epoch: an evaluation has none for training rows. */
  pass?: TrainingPass;
}

/**
 * Training rows in the order of one permutation of them, the same for the same seed, again and again. Of data that stay on
 * disk, only those that are asked for are read. Pictures are drawn again with other noise in each round.
 */
export class StartRows {
  readonly length: number;
  private readonly order: Generator<number, void>;
  private readonly drawn: number[] = [];
  private readonly seed: number;
  private readonly isDrawn: boolean;
  private next = 0;

  constructor({ data, spec }: Pick<Task, 'data' | 'spec'>) {
    this.seed = spec.training.seed;
    this.length = data.train.dataset.examples.length;
    this.order = permuted(this.length, this.seed, Stream.start);
    this.isDrawn = isPictureData(data);
  }

  /** The next rows, at most this many: a round ends with the last row. */
  take(most: number): ReadRows {
    const round = Math.floor(this.next / this.length);
    const until = Math.min(this.next + most, (round + 1) * this.length);
    const indices: number[] = [];
    for (; this.next < until; this.next++) indices.push(this.rowAt(this.next % this.length));
    return { indices, ...(this.isDrawn && { pass: { seed: this.seed, epoch: round } }) };
  }

  /** Starts over with the first row. */
  restart(): void {
    this.next = 0;
  }

  private rowAt(place: number): number {
    while (this.drawn.length <= place) this.drawn.push(this.order.next().value!);
    return this.drawn[place]!;
  }
}
