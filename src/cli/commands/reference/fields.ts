import type { Graph } from '../../../graph/model';
import { OBJECTIVES } from '../../../tasks/objective';
import { methodOf } from '../../../adapters/methods/registry';
import { adapterDefaults } from '../../../experiment/adapter-defaults';
import { aboutMethod, isMethod, type MethodName } from '../../../experiment/methods';
import type { DenseArray, ReferenceCase } from './case';
import { arrayProblem, type Comparison } from './compare';
import { own } from '../../../base/names';

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
  missing(isMethod(c.adapter), 'adapter');
  missing(c.head !== undefined, 'head');
  missing(Array.isArray(c.targets), 'targets');
  missing(Array.isArray(c.modules), 'modules');
  for (const key of isMethod(c.adapter) ? statedOf(c.adapter) : []) {
    if (key === 'scale' || typeof adapterDefaults(c.adapter)[key] === 'number')
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
