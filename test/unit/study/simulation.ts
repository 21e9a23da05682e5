import { inverseNormal } from '../../../src/base/random';
import type { MetricName } from '../../../src/experiment/metrics';
import { studyOf } from '../../../src/study/study';
import { measure, type Comparison } from '../../../src/study/compare-groups';
import type { Group } from '../../../src/study/groups';
import { chanceOf } from '../../../src/study/statistics/difference';
import type { StudyRun } from '../../../src/study/study-run';
import { aurora, lora, studyRun } from './runs';

/**
 * The components of an example's latent score. The example is correct if the score is positive. The component
 * shared by all runs has a standard deviation of 1; these are the others.
 */
export interface Model {
  /** Mean of the score. With 1, about four out of five examples are correct. */
  ease: number;
  /** Per example, shared by both methods' runs with one seed, because they see the same batches. */
  bySeed: number;
  /** Per run and example. */
  noise: number;
  /** Per run, for all examples: some seeds do better than others. */
  run: number;
  /** Per method and example, for all seeds: the methods are good at different texts but equal overall. */
  texts: number;
}

/**
 * Runs that differ by chance per example, runs that also differ as a whole, and methods that are good at
 * different texts.
 */
export const MODELS = {
  noise: { ease: 1, bySeed: 0.3, noise: 0.5, run: 0, texts: 0 },
  seeds: { ease: 1, bySeed: 0.3, noise: 0.5, run: 0.04, texts: 0 },
  texts: { ease: 1, bySeed: 0.3, noise: 0.4, run: 0.04, texts: 0.35 },
} satisfies Record<string, Model>;

export interface Cell {
  seeds: number;
  examples: number;
  model: Model;
  /** Added to one method's scores. */
  difference?: number;
}

const BUFFER = 2 ** 16;

/** Integers below 2¹⁶ from sfc32 (Chris Doty-Humphrey, PractRand): deterministic for a seed, and fast. */
export class Draws {
  private readonly state = new Int32Array(4);
  private readonly buffer = new Uint16Array(BUFFER);
  private at = BUFFER;

  constructor(seed: number) {
    this.state.set([0, seed, 0x9e3779b9, 1]);
    this.fill();
  }

  next(): number {
    if (this.at === BUFFER) this.fill();
    return this.buffer[this.at++];
  }

  /** Approximately normal: the midpoint of one of 2¹⁶ equally likely cells. */
  normal(): number {
    return NORMAL[this.next()];
  }

  private fill(): void {
    let [a, b, c, d] = this.state;
    for (let i = 0; i < BUFFER; i += 2) {
      const t = (((a + b) | 0) + d) | 0;
      d = (d + 1) | 0;
      a = b ^ (b >>> 9);
      b = (c + (c << 3)) | 0;
      c = (((c << 21) | (c >>> 11)) + t) | 0;
      this.buffer[i] = t & 0xffff;
      this.buffer[i + 1] = t >>> 16;
    }
    this.state.set([a, b, c, d]);
    this.at = 0;
  }
}

const NORMAL = Float64Array.from({ length: 2 ** 16 }, (_, i) => inverseNormal((i + 0.5) / 2 ** 16));

/** The runs of two methods as a study reads them, with predictions of each example and all four metrics. */
export function simulateRuns({ seeds, examples: n, model, difference = 0 }: Cell, draws: Draws): StudyRun[] {
  const fill = (at: () => number): Float64Array => {
    const values = new Float64Array(n);
    for (let i = 0; i < n; i++) values[i] = at();
    return values;
  };
  const shared = fill(() => model.ease + draws.normal());
  const label = Uint8Array.from(fill(() => Number(draws.next() < 0.3 * 2 ** 16)));
  const byTexts = [0, 1].map(() => (model.texts ? fill(() => model.texts * draws.normal()) : undefined));
  const runs: StudyRun[] = [];
  for (let seed = 1; seed <= seeds; seed++) {
    const bySeed = fill(() => model.bySeed * draws.normal());
    for (const [m, method] of METHODS.entries()) {
      const whole = m * difference + model.run * draws.normal();
      const texts = byTexts[m];
      const correct = new Uint8Array(n);
      const loss = new Float64Array(n);
      for (let i = 0; i < n; i++) {
        const score = shared[i] + bySeed[i] + whole + (texts ? texts[i] : 0) + model.noise * draws.normal();
        correct[i] = Number(score > 0);
        loss[i] = lossOf(score);
      }
      const metrics = metricsOf(label, correct, loss);
      const examples = { data: 'simulated', correct, loss };
      runs.push(studyRun(method, seed, metrics.accuracy, { metrics, examples }));
    }
  }
  return runs;
}

const METHODS = [lora(), aurora()];

/** Decreases with the score like a cross entropy, without a logarithm. */
export const lossOf = (score: number): number => (score > 0 ? 0.5 / (1 + score) : 0.5 - score);

/** For two labels; F1 is the mean over both. */
function metricsOf(label: Uint8Array, correct: Uint8Array, loss: Float64Array) {
  const n = label.length;
  const right = [0, 0];
  const wrong = [0, 0];
  for (let i = 0; i < n; i++) (correct[i] ? right : wrong)[label[i]]++;
  const f1 = (c: 0 | 1) => (2 * right[c]) / Math.max(1, 2 * right[c] + wrong[0] + wrong[1]);
  const [tn, tp, fp, fn] = [...right, ...wrong];
  const spread = Math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn));
  return {
    accuracy: (right[0] + right[1]) / n,
    f1: (f1(0) + f1(1)) / 2,
    matthews: spread === 0 ? 0 : (tp * tn - fp * fn) / spread,
    loss: loss.reduce((a, b) => a + b) / n,
    examples: n,
  } satisfies StudyRun['metrics'];
}

/** The only comparison in a study of such runs. */
export const compared = (runs: readonly StudyRun[], metric: MetricName): Comparison =>
  studyOf(runs, { metric }).sections[0].comparisons[0];

export const withoutPredictions = (runs: readonly StudyRun[]): StudyRun[] =>
  runs.map((run) => ({ ...run, examples: undefined }));

/** The p-value of that comparison, without the rest of a study. */
export function chanceIn(runs: readonly StudyRun[], metric: MetricName): number | undefined {
  const [b, a] = METHODS.map(({ method }) => {
    const own = runs.filter((r) => r.spec.adapter.method === method);
    return { runs: own, metrics: {} as Group['metrics'] };
  });
  const { difference } = measure(a, b, metric);
  return difference && chanceOf(difference);
}
