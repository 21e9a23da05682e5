import { inverseNormal } from '../../../../src/base/random';
import { type MetricName, senseOf } from '../../../../src/experiment/metrics';
import {
  accuracyOf,
  f1Of,
  type LabelCounts,
  macroF1Of,
  matthewsOf,
  weightedF1Of,
} from '../../../../src/experiment/scores/label-scores';
import { pearson, rootMeanSquaredError, spearman } from '../../../../src/experiment/scores/regression';
import type { LabelColumns } from '../../../../src/protocol/answers/label';
import { testedRun } from '../../../../src/study/claim/pseudo-values';
import { looksAt } from '../../../../src/study/claim/look-plan';
import { type Finding, look, type TestedRun } from '../../../../src/study/claim/verdict';
import { normalCdf } from '../../../../src/study/statistics/distributions';
import { meanOf } from '../../../../src/study/statistics/summary';
import { Draws, lossOf, type Model, MODELS } from '../simulation';
import { labelAnswers, numberAnswers, textAnswers } from './answers';

export { Draws, MODELS };

/** The metrics of simulated claims. */
export const SIMULATED = [
  'accuracy',
  'f1',
  'macroF1',
  'weightedF1',
  'matthews',
  'loss',
  'perplexity',
  'pearson',
  'spearman',
  'rmse',
] as const satisfies readonly MetricName[];
type Simulated = (typeof SIMULATED)[number];

/**
 * One latent score per run and example, as in the simulated studies, gives all answers. A label is right if the score is
 * positive. The loss falls with it. A predicted number is the true one, which is normal, plus the score's deviation, scaled
 * by `SPREAD` and by e to the minus of the run's whole effect.
 */
interface Example {
  /** The number to predict. */
  truth: Float64Array;
  label: Uint8Array;
  /** Tokens of a text, which differ much. */
  tokens: Uint32Array;
}

/** The share of the label that F1 is about. */
const SHARE = 0.3;
const SPREAD = 0.6;
/** The loss of a token, so that perplexities are not close to 1. */
const TOKEN_LOSS = 4;

export interface ClaimCell {
  examples: number;
  model: Model;
  /** The smallest difference of the scores that matters. */
  by: number;
  /** The numbers of seeds of its looks. */
  looks?: readonly number[];
}

/** A claim about a metric, by predictions or by the runs' values alone. */
export interface Column {
  metric: Simulated;
  predictions: boolean;
}

/**
 * The verdicts of the claim that the first method is better, from the product's own code.
 *
 * @param differences true ones, each added to the first method's scores; all share the other random numbers
 * @returns for each difference, the verdict of each column
 */
export function simulateVerdicts(
  { examples: n, model, by, looks = [5, 10] }: ClaimCell,
  differences: readonly number[],
  columns: readonly Column[],
  draws: Draws,
): Finding[][] {
  const fill = (at: () => number) => filled(n, at);
  const example = drawExamples(n, draws);
  const shared = fill(() => draws.normal());
  const byTexts = [0, 1].map(() => (model.texts ? fill(() => model.texts * draws.normal()) : undefined));
  const bySeedOf = () => fill(() => model.bySeed * draws.normal());
  /** A run's deviation of each example from the mean score, and its whole effect. */
  const drawn = (bySeed: Float64Array, texts: Float64Array | undefined) => {
    const whole = model.run * draws.normal();
    const deviations = new Float64Array(n);
    for (let i = 0; i < n; i++)
      deviations[i] = shared[i] + bySeed[i] + (texts ? texts[i] : 0) + model.noise * draws.normal();
    return { whole, deviations };
  };
  const first = differences.map(() => columns.map((): TestedRun[] => []));
  const than = columns.map((): TestedRun[] => []);
  const findings = differences.map(() => columns.map((): Finding => 'open'));
  for (const plan of looksAt(looks)) {
    while (than[0].length < plan.seeds) {
      const bySeed = bySeedOf();
      const [a, b] = byTexts.map((texts) => drawn(bySeed, texts));
      differences.forEach((difference, d) => {
        if (findings[d].includes('open'))
          addRuns(first[d], columns, example, { ...a, whole: a.whole + difference }, model);
      });
      addRuns(than, columns, example, b, model);
    }
    differences.forEach((_, d) =>
      columns.forEach(({ metric }, c) => {
        if (findings[d][c] !== 'open') return;
        const terms = { relation: 'better', by: trueDifference(metric, model, by) } as const;
        findings[d][c] = look(metric, terms, first[d][c], than[c], plan).finding;
      }),
    );
    if (!findings.flat().includes('open')) break;
  }
  return findings;
}

function filled(n: number, at: () => number): Float64Array {
  const values = new Float64Array(n);
  for (let i = 0; i < n; i++) values[i] = at();
  return values;
}

export const drawExamples = (n: number, draws: Draws): Example => ({
  truth: filled(n, () => draws.normal()),
  label: Uint8Array.from(filled(n, () => Number(draws.next() < SHARE * 2 ** 16))),
  tokens: Uint32Array.from(filled(n, () => 1 + 40 * (draws.next() / 2 ** 16) ** 2)),
});

interface Drawn {
  whole: number;
  deviations: Float64Array;
}

/** Adds a run to each column's list; each metric is split once, and without predictions its value alone is used. */
function addRuns(
  lists: readonly TestedRun[][],
  columns: readonly Column[],
  example: Example,
  drawn: Drawn,
  model: Model,
): void {
  const answers = lazyAnswers(example, drawn, model);
  const made = new Map<Simulated, TestedRun>();
  columns.forEach(({ metric, predictions }, c) => {
    let run = made.get(metric);
    if (!run) made.set(metric, (run = runOf(metric, answers, example)));
    lists[c].push(predictions ? run : { ...run, rows: undefined });
  });
}

type LazyAnswers = ReturnType<typeof lazyAnswers>;

/** A run's answers, each kind made once. */
export function lazyAnswers(
  { truth, label, tokens }: Example,
  { whole, deviations }: Drawn,
  { ease }: Model,
) {
  const once = <T>(make: () => T) => {
    let value: T | undefined;
    return (): T => (value ??= make());
  };
  return {
    labels: once(() => {
      const said = new Uint8Array(label.length);
      for (let i = 0; i < label.length; i++)
        said[i] = ease + whole + deviations[i] > 0 ? label[i] : 1 - label[i];
      return labelAnswers(label, said, 2);
    }),
    losses: once(() =>
      labelAnswers(
        label,
        label,
        2,
        deviations.map((d) => lossOf(ease + whole + d)),
      ),
    ),
    texts: once(() => {
      const losses = deviations.map((d) => TOKEN_LOSS * lossOf(ease + whole + d));
      return textAnswers(losses, tokens, tokens);
    }),
    numbers: once(() => {
      const scale = SPREAD * Math.exp(-whole);
      return numberAnswers(
        truth,
        truth.map((t, i) => t + scale * deviations[i]),
      );
    }),
  };
}

export function runOf(metric: Simulated, answers: LazyAnswers, { truth, tokens }: Example): TestedRun {
  if (isOfLabels(metric)) {
    const made = answers.labels();
    return testedRun(metric, made, LABEL_METRICS[metric](countsOf(made.columns)));
  }
  if (metric === 'loss') {
    const made = answers.losses();
    return testedRun(metric, made, meanOf(made.columns.loss));
  }
  if (metric === 'perplexity') {
    const made = answers.texts();
    let [sum, count] = [0, 0];
    made.columns.loss.forEach((l, i) => {
      sum += l * tokens[i];
      count += tokens[i];
    });
    return testedRun(metric, made, Math.exp(sum / count));
  }
  const made = answers.numbers();
  return testedRun(metric, made, NUMBER_METRICS[metric](truth, made.columns.predicted));
}

const LABEL_METRICS = {
  accuracy: accuracyOf,
  f1: f1Of,
  macroF1: macroF1Of,
  weightedF1: weightedF1Of,
  matthews: matthewsOf,
};
const isOfLabels = (metric: Simulated): metric is keyof typeof LABEL_METRICS =>
  Object.hasOwn(LABEL_METRICS, metric);

const NUMBER_METRICS = { pearson, spearman, rmse: rootMeanSquaredError };

function countsOf({ label, predicted }: LabelColumns): LabelCounts {
  const [right, actual, said] = [0, 1, 2].map(() => new Float64Array(2));
  for (let i = 0; i < label.length; i++) {
    if (label[i] === predicted[i]) right[label[i]]++;
    actual[label[i]]++;
    said[predicted[i]]++;
  }
  return { right, actual, predicted: said, total: label.length };
}

/** Midpoints of equally likely parts of the normal distribution. */
const normals = (parts: number) => Array.from({ length: parts }, (_, i) => inverseNormal((i + 0.5) / parts));
const OVER_RUNS = normals(99);
const OVER_EXAMPLES = normals(4000);

const known = new Map<string, number>();

/**
 * The true difference of a metric, positive where the first method is better: of its expected values over all seeds and
 * examples, if the scores differ by so much.
 */
export function trueDifference(metric: Simulated, model: Model, difference: number): number {
  const key = JSON.stringify([metric, model, difference]);
  let value = known.get(key);
  if (value === undefined) {
    const mean = (by: number) => meanOf(OVER_RUNS.map((z) => expected(metric, model, by + model.run * z)));
    known.set(key, (value = senseOf(metric) * (mean(difference) - mean(0))));
  }
  return value;
}

/** A metric over infinitely many examples, of a run with this whole effect. */
export function expected(metric: Simulated, model: Model, whole: number): number {
  const { ease, bySeed, noise, texts } = model;
  const spread = Math.sqrt(1 + bySeed ** 2 + noise ** 2 + texts ** 2);
  const right = normalCdf((ease + whole) / spread);
  const [tp, fn, tn, fp] = [
    SHARE * right,
    SHARE * (1 - right),
    (1 - SHARE) * right,
    (1 - SHARE) * (1 - right),
  ];
  const error = SPREAD * Math.exp(-whole) * spread;
  const rho = 1 / Math.sqrt(1 + error ** 2);
  const loss = () => meanOf(OVER_EXAMPLES.map((z) => lossOf(ease + whole + spread * z)));
  /** The rarer label’s, and the other’s. */
  const [f1, other] = [tp, tn].map((found) => (2 * found) / (2 * found + fn + fp));
  switch (metric) {
    case 'accuracy':
      return right;
    case 'f1':
      return f1;
    case 'macroF1':
      return (f1 + other) / 2;
    case 'weightedF1':
      return SHARE * f1 + (1 - SHARE) * other;
    case 'matthews':
      return (tp * tn - fp * fn) / Math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn));
    case 'loss':
      return loss();
    case 'perplexity':
      return Math.exp(TOKEN_LOSS * loss());
    case 'pearson':
      return rho;
    case 'spearman':
      // Two normal variables have this correlation.
      return (6 / Math.PI) * Math.asin(rho / 2);
    case 'rmse':
      return error;
  }
}
