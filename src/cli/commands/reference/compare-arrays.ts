import { methodOf } from '../../../adapters/methods/registry';
import { own } from '../../../base/names';
import { adapterDefaults } from '../../../experiment/adapter-defaults';
import { aboutMethod, isMethod, type MethodName } from '../../../experiment/methods';
import type { Graph } from '../../../graph/model';
import { OBJECTIVES } from '../../../tasks/objective';
import type { DenseArray, ReferenceCase } from './case';
import { isOfPeft } from './peft-case';

export interface Finding {
  /** The kind of number: loss, logits, gradients, … */
  kind: string;
  /** The exact place: `gradients.layer.0.query.A`. */
  field: string;
  /** The error in the tolerance's unit; NaN if a value is missing or not finite. */
  error: number;
  tolerance: number;
  problem?: string;
}

export const passed = (f: Finding): boolean => f.problem === undefined && f.error <= f.tolerance;

/** Collects comparisons without throwing, so that one line can show the worst of each kind. */
export class Comparison {
  readonly findings: Finding[] = [];

  private add(kind: string, field: string, error: number, tolerance: number, problem?: string): void {
    this.findings.push({ kind, field, error, tolerance, problem });
  }

  fail(kind: string, field: string, problem: string): void {
    this.add(kind, field, NaN, 0, problem);
  }

  /** |actual − expected| ≤ tolerance · unit(expected). */
  number(
    kind: string,
    field: string,
    actual: number,
    expected: unknown,
    tolerance: number,
    unit: (e: number) => number,
  ): void {
    if (typeof expected !== 'number' || !Number.isFinite(expected))
      return this.fail(kind, field, 'missing or not finite in the file');
    if (!Number.isFinite(actual)) return this.fail(kind, field, `computed as ${actual}`);
    this.add(kind, field, Math.abs(actual - expected) / unit(expected), tolerance);
  }

  /** Largest |actual − expected| ≤ tolerance · unit; the unit is the expected values' largest magnitude unless given. */
  tensor(
    kind: string,
    field: string,
    actual: ArrayLike<number> | undefined,
    expected: DenseArray | undefined,
    tolerance: number,
    unit?: number,
  ): void {
    const problem = arrayProblem(expected);
    if (problem) return this.fail(kind, field, problem);
    if (!actual) return this.fail(kind, field, 'not computed');
    const { data } = expected!;
    if (actual.length !== data.length)
      return this.fail(kind, field, `${actual.length} values computed, ${data.length} expected`);
    let error = 0;
    for (let i = 0; i < data.length; i++) {
      if (!Number.isFinite(actual[i])) return this.fail(kind, field, `value ${i} computed as ${actual[i]}`);
      error = Math.max(error, Math.abs(actual[i] - data[i]));
    }
    const scale = unit ?? largest(data);
    this.add(kind, field, error === 0 ? 0 : error / scale, tolerance);
  }

  /** Both sides must have the same names. */
  names(kind: string, actual: Iterable<string>, expected: Iterable<string>, prefix = ''): void {
    const have = new Set(actual);
    const want = new Set(expected);
    for (const name of want)
      if (!have.has(name)) this.fail(kind, `${prefix}${kind}.${name}`, 'expected, but not computed');
    for (const name of have)
      if (!want.has(name)) this.fail(kind, `${prefix}${kind}.${name}`, 'computed, but missing in the file');
  }
}

export const largest = (values: ArrayLike<number>): number => {
  let max = 0;
  for (let i = 0; i < values.length; i++) max = Math.max(max, Math.abs(values[i]));
  return max;
};

/** The mistake in an array of the file, if there is one. */
export function arrayProblem(a: DenseArray | undefined): string | undefined {
  if (!a || !Array.isArray(a.dims) || !Array.isArray(a.data)) return 'missing in the file';
  const bad = a.data.findIndex((v) => typeof v !== 'number' || !Number.isFinite(v));
  if (bad >= 0) return `value ${bad} in the file is ${a.data[bad]}`;
  const size = a.dims.reduce((x, y) => x * y, 1);
  return size === a.data.length
    ? undefined
    : `the file has ${a.data.length} values for the shape [${a.dims.join(', ')}]`;
}

/**
 * True if a file has every field that a run needs, finite and of the right kind; reports each field that is missing or
 * wrong. Numbers that are only compared are checked during the comparison.
 */
export function checkFields(report: Comparison, c: ReferenceCase, graph: Graph): boolean {
  const before = report.findings.length;
  const missing = (ok: boolean, field: string) => ok || report.fail('format', field, 'missing in the file');
  const array = (a: DenseArray | undefined, field: string) => {
    const problem = arrayProblem(a);
    if (problem) report.fail('format', field, problem);
  };
  const number = (v: unknown, field: string) =>
    Number.isFinite(v) || report.fail('format', field, 'missing or not finite in the file');
  const inputs = (given: Record<string, DenseArray> | undefined, at: string) => {
    // An input with a default value may be missing.
    for (const { name } of graph.inputs)
      if (!graph.initializers.has(name)) array(own(given ?? {}, name), `${at}inputs.${name}`);
  };

  missing(Object.hasOwn(OBJECTIVES, c.objective ?? ''), 'objective');
  const { labelSmoothing = 0, classWeights = [] } = c.trainingLoss ?? {};
  for (const [i, weight] of classWeights.entries()) number(weight, `trainingLoss.classWeights[${i}]`);
  number(labelSmoothing, 'trainingLoss.labelSmoothing');
  // PEFT's settings are checked when they are imported.
  const method = !isOfPeft(c) && isMethod(c.adapter) ? c.adapter : undefined;
  missing(isOfPeft(c) || isMethod(c.adapter), 'adapter');
  missing(c.head !== undefined, 'head');
  missing(Array.isArray(c.targets), 'targets');
  missing(Array.isArray(c.modules), 'modules');
  for (const key of method ? statedOf(method) : []) {
    if (key === 'scale' || typeof adapterDefaults(method!)[key] === 'number')
      number(c.hyper?.[key], `hyper.${key}`);
    else missing(c.hyper?.[key] != null, `hyper.${key}`);
  }
  inputs(c.inputs, '');
  array(c.labels, 'labels');
  missing(c.trainable !== undefined, 'trainable');
  for (const [name, a] of Object.entries(c.trainable ?? {})) array(a, `trainable.${name}`);
  if (c.head)
    for (const t of [c.head.weight, c.head.bias]) array(own(c.trainable ?? {}, t), `trainable.${t}`);
  for (const key of ['lr', 'eps', 'weightDecay'] as const) number(c.adamw?.[key], `adamw.${key}`);
  for (const i of [0, 1]) number(c.adamw?.betas?.[i], `adamw.betas[${i}]`);
  missing(Array.isArray(c.adamw?.lossBeforeEachStep), 'adamw.lossBeforeEachStep');
  missing(Array.isArray(c.otherShapes), 'otherShapes');
  for (const [i, other] of (c.otherShapes ?? []).entries()) {
    inputs(other.inputs, `otherShapes[${i}].`);
    array(other.labels, `otherShapes[${i}].labels`);
  }
  return report.findings.length === before;
}

/** The keys that `hyper` must have for a method. */
function statedOf(method: MethodName): string[] {
  const { size, hasAlpha } = aboutMethod(method);
  return [...(size ? [size] : []), ...(hasAlpha ? ['scale'] : []), ...(methodOf({ method }).stated ?? [])];
}
