import { normal, random, uniform } from '../../src/base/random';

/** Inputs of metrics; see metrics.py. */
export type MetricCase = { about: string } & (
  | { kind: 'classes'; labels: number; truth: number[]; predicted: number[] }
  | { kind: 'values'; truth: number[]; predicted: number[] }
  | { kind: 'label sets'; truth: number[][]; logits: number[][] }
  | { kind: 'top 5'; truth: number[]; logits: number[][] }
  | { kind: 'tokens'; texts: { labels: number[]; logits: number[][] }[] }
  | { kind: 'spans'; sentences: [truth: string, predicted: string][] }
);

const list = <T>(length: number, of: (i: number) => T): T[] => Array.from({ length }, (_, i) => of(i));

/** Draws one after the other. */
class Draws {
  private drawn = 0;
  constructor(private readonly seed: number) {}
  /** An integer below n. */
  below = (n: number): number => random(this.seed, this.drawn++) % n;
  chance = (p: number): boolean => uniform(this.seed, this.drawn++) < p;
  normal = (): number => normal(this.seed, this.drawn++);
  /** Few different numbers, so that many are equal. */
  tied = (): number => this.below(5) - 2;
}

function classCases(seed: number): MetricCase[] {
  const d = new Draws(seed);
  const labels = [1, 2, 2, 3, 4, 9][d.below(6)];
  const n = 1 + d.below(40);
  const any = list(n, () => d.below(labels));
  const other = list(n, () => d.below(labels));
  const rare = list(n, () => (d.chance(0.9) ? 0 : d.below(labels)));
  const one = new Array<number>(n).fill(d.below(labels));
  const cases: [string, number[], number[]][] = [
    ['random', any, other],
    ['rarely other labels', rare, any],
    ['mostly right', any, any.map((label) => (d.chance(0.8) ? label : d.below(labels)))],
    ['one label true', one, any],
    ['one label predicted', any, one],
    ['the same label always', one, one],
    ['perfect', any, any],
    ['all wrong', any, any.map((label) => (label + 1) % labels)],
    ['a single example', any.slice(0, 1), other.slice(0, 1)],
  ];
  return cases.map(([about, truth, predicted]) => ({ kind: 'classes', about, labels, truth, predicted }));
}

function valueCases(seed: number): MetricCase[] {
  const d = new Draws(seed);
  const n = 2 + d.below(50);
  const any = list(n, d.normal);
  const tied = list(n, d.tied);
  const near = any.map((v) => v + 0.3 * d.normal());
  const constant = new Array<number>(n).fill(d.normal());
  const cases: [string, number[], number[]][] = [
    ['random', any, list(n, d.normal)],
    ['close', any, near],
    ['ties', tied, list(n, d.tied)],
    ['ties on one side', any, tied],
    ['small differences of large values', any.map((v) => 1e6 + 1e-3 * v), near.map((v) => 1e6 + 1e-3 * v)],
    ['large and small units', any.map((v) => 1e9 * v), near.map((v) => 1e-9 * v)],
    ['an outlier', [1e6, ...any], [-3e5, ...near]],
    ['perfect', any, any],
    ['all wrong', any, any.map((v) => -2 * v)],
    ['constant truth', constant, any],
    ['constant predictions', any, constant],
    ['only constants', constant, constant],
    ['a single example', any.slice(0, 1), near.slice(0, 1)],
    ['two examples', any.slice(0, 2), near.slice(0, 2)],
  ];
  return cases.map(([about, truth, predicted]) => ({ kind: 'values', about, truth, predicted }));
}

function labelSetCases(seed: number): MetricCase[] {
  const d = new Draws(seed);
  const labels = 1 + d.below(6);
  const n = 1 + d.below(30);
  const table = (of: () => number) => list(n, () => list(labels, of));
  const some = table(() => (d.chance(0.3) ? 1 : 0));
  const rare = table(() => (d.chance(0.05) ? 1 : 0));
  const any = table(d.normal);
  const certain = some.map((row) => row.map((has) => 2 * has - 1));
  const cases: [string, number[][], number[][]][] = [
    ['random', some, any],
    ['ties', some, table(d.tied)],
    ['mostly right', some, certain.map((row) => row.map((v) => v + 0.7 * d.normal()))],
    ['rare labels', rare, any],
    ['no label true', table(() => 0), any],
    ['all labels true', table(() => 1), any],
    ['no label predicted', some, table(() => -1)],
    ['all labels predicted alike', some, table(() => 1)],
    ['probabilities of one half', some, table(() => 0)],
    ['neither true nor predicted', table(() => 0), table(() => -1)],
    ['perfect', some, certain],
    ['all wrong', some, certain.map((row) => row.map((v) => -v))],
    ['a single example', some.slice(0, 1), any.slice(0, 1)],
  ];
  return cases.map(([about, truth, logits]) => ({ kind: 'label sets', about, truth, logits }));
}

function topCases(seed: number): MetricCase[] {
  const d = new Draws(seed);
  const labels = [2, 3, 5, 6, 7, 12, 40][d.below(7)];
  const n = 1 + d.below(30);
  const any = list(n, () => d.below(labels));
  const table = (of: (label: number, i: number) => number) => list(n, (i) => list(labels, (l) => of(l, i)));
  const random = table(d.normal);
  const cases: [string, number[], number[][]][] = [
    ['random', any, random],
    ['ties', any, table(d.tied)],
    ['all scores equal', any, table(() => 0)],
    ['one label true', new Array<number>(n).fill(d.below(labels)), random],
    ['perfect', any, table((label, i) => (label === any[i] ? 9 : d.normal()))],
    ['all wrong', any, table((label, i) => (label === any[i] ? -9 : d.normal()))],
    ['a single example', any.slice(0, 1), random.slice(0, 1)],
  ];
  return cases.map(([about, truth, logits]) => ({ kind: 'top 5', about, truth, logits }));
}

function tokenCases(seed: number): MetricCase[] {
  const d = new Draws(seed);
  const vocabulary = 3 + d.below(20);
  const texts = (of: (token: number, next: number) => number, ignored = 0) =>
    list(1 + d.below(4), () => {
      const labels = list(2 + d.below(10), (t) => (t > 1 && d.chance(ignored) ? -100 : d.below(vocabulary)));
      return { labels, logits: labels.map((_, t) => list(vocabulary, (v) => of(v, labels[t + 1]))) };
    });
  const cases: [string, { labels: number[]; logits: number[][] }[]][] = [
    ['random', texts(d.normal)],
    ['ties', texts(d.tied)],
    ['some not predicted', texts(d.normal, 0.4)],
    ['perfect', texts((token, next) => (token === next ? 9 : 0))],
    ['all wrong', texts((token, next) => (token === next ? -9 : 0))],
    ['guesses', texts(() => 0)],
  ];
  return cases.map(([about, made]) => ({ kind: 'tokens', about, texts: made }));
}

export const TAGS = [
  'O',
  ...['B', 'I', 'E', 'S'].flatMap((mark) => ['PER', 'LOC'].map((t) => `${mark}-${t}`)),
];

function spanCases(seed: number): MetricCase[] {
  const d = new Draws(seed);
  const tag = () => (d.chance(0.3) ? 'O' : TAGS[d.below(TAGS.length)]);
  const sentences = (predicted: (tag: string) => string): [string, string][] =>
    list(1 + d.below(5), () => {
      const truth = list(1 + d.below(12), tag);
      return [truth.join(' '), truth.map(predicted).join(' ')];
    });
  const cases: [string, [string, string][]][] = [
    ['random', sentences(tag)],
    ['mostly right', sentences((own) => (d.chance(0.8) ? own : tag()))],
    ['perfect', sentences((own) => own)],
    ['nothing predicted', sentences(() => 'O')],
    ['no entities', sentences(tag).map(([, made]) => [made.replace(/\S+/g, 'O'), made])],
    ['nothing at all', [['O O', 'O O']]],
  ];
  return cases.map(([about, made]) => ({ kind: 'spans', about, sentences: made }));
}

/** Random and degenerate inputs, from 30 seeds. */
export const METRIC_CASES: MetricCase[] = list(30, (seed) => seed).flatMap((seed) => [
  ...classCases(seed),
  ...valueCases(seed),
  ...labelSetCases(seed),
  ...topCases(seed),
  ...tokenCases(seed),
  ...spanCases(seed),
]);
