import { power } from '../../base/power';
import { AuroraError } from '../../base/errors';
import type { Course, RanksKept } from './method';

/** The names of a layer's tensors: A (r, in), B (out, r), E (r, 1). */
interface Triplet {
  A: string;
  B: string;
  E: string;
}

export interface RankSchedule {
  /** Ranks of each layer at the start, and on average at the end. */
  rank: number;
  target: number;
  /** Steps before the first rank is taken away, and steps at the end in which the ranks stay. */
  tinit: number;
  tfinal: number;
  /** Steps from one change of the ranks to the next. */
  deltaT: number;
  /** Factors of the running means: of the importance, and of its deviation. */
  beta1: number;
  beta2: number;
  /** Steps of the whole training. */
  total: number;
}

type Arrays = ReadonlyMap<string, Float32Array>;

/**
 * AdaLoRA's schedule of ranks (Zhang et al., arXiv 2303.10512, section 3.2 and 3.3), as PEFT's RankAllocator
 * (tuners/adalora/layer.py) with its order of operations. After each step, the importance of each element is
 * |value · gradient|, with the new value and the old gradient; I is its running mean, and U that of its distance from
 * I. A rank's score is I·U of its E, plus the means of I·U over its row of A and its column of B. Every `deltaT` steps
 * the budget ⌊(start − target)(1 − (step − tinit)/(total − tfinal − tinit))³ + target⌋ of all layers together decides how
 * many ranks with the lowest scores get E = 0. Their E may move again until the next time. At step total − tfinal the
 * target is reached, and from then on E stays 0.
 */
export class RankAllocator implements Course {
  /** I and U by tensor, float32 as in PEFT. */
  private means = new Map<string, Float32Array>();
  private deviations = new Map<string, Float32Array>();
  /** The last choice: 1 for each rank that was kept, by the name of E; empty before the first. */
  private kept = new Map<string, Float32Array>();
  private isFinal = false;

  /** @throws AuroraError 'experiment' for a schedule that takes no ranks away, or would give some */
  constructor(
    private readonly triplets: readonly Triplet[],
    private readonly schedule: RankSchedule,
  ) {
    const { rank, target, tinit, tfinal, total } = schedule;
    if (target > rank)
      throw new AuroraError(
        'experiment',
        `adapter.targetRank is ${target}, above adapter.rank ${rank}: AdaLoRA only takes ranks away.`,
        `Set adapter.targetRank to ${rank} or less, or a larger adapter.rank.`,
      );
    if (tinit >= total - tfinal || total - tfinal < 2)
      throw new AuroraError(
        'experiment',
        `AdaLoRA's schedule has ${total} steps. With adapter.tinit ${tinit} and adapter.tfinal ${tfinal}, no step is left in which ranks are taken away.`,
        'Decrease adapter.tinit or adapter.tfinal, or train for more steps.',
      );
  }

  stepped(step: number, parameters: Arrays, gradients: Arrays): RanksKept | undefined {
    const { tinit, tfinal, deltaT, total } = this.schedule;
    const end = total - tfinal;
    if (step < end) {
      this.observe(parameters, gradients);
      return step > tinit && step % deltaT === 0 ? this.allocate(step, parameters) : undefined;
    }
    // Not only at the last step of the schedule: mixed precision may have skipped it.
    if (!this.isFinal) {
      const changed = this.allocate(end, parameters);
      this.isFinal = true;
      this.means.clear();
      this.deviations.clear();
      return changed;
    }
    this.mask(parameters);
    return undefined;
  }

  state(): Map<string, Float32Array> {
    const named = (prefix: string, arrays: Arrays) =>
      Array.from(arrays, ([name, values]) => [prefix + name, values.slice()] as const);
    return new Map([
      ...named(MEAN, this.means),
      ...named(DEVIATION, this.deviations),
      ...named(KEPT, this.kept),
      ...(this.isFinal ? [[FINAL, Float32Array.of(1)] as const] : []),
    ]);
  }

  load(state: Arrays): void {
    const named = (prefix: string) =>
      new Map(
        Array.from(state)
          .filter(([name]) => name.startsWith(prefix))
          .map(([name, values]) => [name.slice(prefix.length), values.slice()]),
      );
    this.means = named(MEAN);
    this.deviations = named(DEVIATION);
    this.kept = named(KEPT);
    this.isFinal = state.has(FINAL);
  }

  /** Updates I and U, rounded to float32 after each operation as PyTorch does. */
  private observe(parameters: Arrays, gradients: Arrays): void {
    const f = Math.fround;
    const { beta1, beta2 } = this.schedule;
    const [keep1, add1, keep2, add2] = [beta1, 1 - beta1, beta2, 1 - beta2].map(f);
    for (const name of this.triplets.flatMap(({ A, B, E }) => [A, B, E])) {
      const [p, g] = [parameters.get(name)!, gradients.get(name)!];
      const mean = arrayOf(this.means, name, p.length);
      const deviation = arrayOf(this.deviations, name, p.length);
      for (let i = 0; i < p.length; i++) {
        const importance = f(Math.abs(p[i] * g[i]));
        mean[i] = f(keep1 * mean[i]) + f(add1 * importance);
        const distance = Math.abs(f(importance - mean[i]));
        deviation[i] = f(keep2 * deviation[i]) + f(add2 * distance);
      }
    }
  }

  /** Sets E of the least important ranks to 0; the new number of ranks if it has changed. */
  private allocate(step: number, parameters: Arrays): RanksKept | undefined {
    const of = this.triplets.length * this.schedule.rank;
    const before = this.kept.size > 0 ? countOf(this.kept) : of;
    const away = of - this.budget(step);
    // PEFT fails where nothing is to be taken away, or nothing has been observed yet.
    if (away <= 0 || this.means.size === 0) return undefined;
    const scores = this.triplets.map((triplet) => this.scores(triplet));
    const threshold = Float64Array.from(scores.flatMap((s) => [...s])).sort()[away - 1];
    this.kept = new Map(
      this.triplets.map(({ E }, i) => [E, Float32Array.from(scores[i], (s) => (s <= threshold ? 0 : 1))]),
    );
    this.mask(parameters);
    const kept = countOf(this.kept);
    return kept === before ? undefined : { kept, of };
  }

  /** The ranks of all layers together after a step. */
  private budget(step: number): number {
    const { rank, target, tinit, tfinal, total } = this.schedule;
    const [start, end] = [rank, target].map((r) => r * this.triplets.length);
    const left = 1 - (step - tinit) / (total - tfinal - tinit);
    return Math.trunc((start - end) * power(left, 3) + end);
  }

  private scores({ A, B, E }: Triplet): Float64Array {
    const { rank } = this.schedule;
    const product = (name: string) => {
      const deviation = this.deviations.get(name)!;
      return this.means.get(name)!.map((v, i) => v * deviation[i]);
    };
    const [a, b, e] = [A, B, E].map(product);
    const [inFeatures, outFeatures] = [a.length / rank, b.length / rank];
    return Float64Array.from(e, (score, r) => {
      let [row, column] = [0, 0];
      for (let i = 0; i < inFeatures; i++) row += a[r * inFeatures + i];
      for (let o = 0; o < outFeatures; o++) column += b[o * rank + r];
      return score + row / inFeatures + column / outFeatures;
    });
  }

  private mask(parameters: Arrays): void {
    for (const [name, kept] of this.kept) {
      const E = parameters.get(name)!;
      for (let i = 0; i < kept.length; i++) if (kept[i] === 0) E[i] = 0;
    }
  }
}

const MEAN = 'importance.';
const DEVIATION = 'deviation.';
const KEPT = 'kept.';
const FINAL = 'final';

function arrayOf(arrays: Map<string, Float32Array>, name: string, length: number): Float32Array {
  const found = arrays.get(name) ?? new Float32Array(length);
  arrays.set(name, found);
  return found;
}

const countOf = (arrays: Arrays): number => {
  let sum = 0;
  for (const values of arrays.values()) sum += values.reduce((s, v) => s + v, 0);
  return sum;
};
