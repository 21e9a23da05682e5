import { uniform } from '../../src/base/random';

/** A trial's stream of random numbers. The same seed gives the same trial on every machine. */
export class Draw {
  private drawn = 0;

  constructor(readonly seed: number) {}

  /** Uniform in [0, 1). */
  next(): number {
    return uniform(this.seed, this.drawn++);
  }

  /** 0 … below − 1. */
  int(below: number): number {
    return Math.floor(this.next() * below);
  }

  pick<T>(values: readonly T[]): T {
    return values[this.int(values.length)]!;
  }
}
