import { tensorName } from '../../adapters/stored-tensors';
import { lineTensors } from '../../adapters/methods/aurora';
import type { LinearFit } from '../../adapters/fit/linear-fit';
import { isNonlinear } from '../../experiment/methods';
import type { Parameters } from '../../engine/stepper';
import type { Task } from '../task/task';

/**
 * The task with inputs that replace each layer's σ by its line, so that one session measures any choice of layers. Its
 * values are those of `withLines`.
 */
export function replaceableSigma(task: Task): Task {
  const adapters = task.adapters.map((adapter) =>
    isNonlinear(adapter.spec)
      ? { ...adapter, tensors: [...adapter.tensors, ...lineTensors(adapter.spec)] }
      : adapter,
  );
  return { ...task, adapters, graph: { ...task.graph, adapters } };
}

/**
 * The values with which some layers compute M z + c in place of σ(z), and the others σ.
 *
 * @param task of `replaceableSigma`
 * @param replaced paths of layers that the fit has
 */
export function withLines(
  task: Task,
  parameters: Parameters,
  { layers }: LinearFit,
  replaced: ReadonlySet<string>,
): Map<string, Float32Array> {
  const values = new Map(parameters);
  const fits = new Map(layers.map((layer) => [layer.path, layer]));
  for (const adapter of task.adapters) {
    if (!isNonlinear(adapter.spec)) continue;
    const { rank } = adapter.spec;
    const fit = replaced.has(adapter.layer.path) ? fits.get(adapter.layer.path) : undefined;
    values.set(tensorName(adapter, 'gate'), Float32Array.of(fit ? 0 : 1));
    values.set(tensorName(adapter, 'M'), fit ? Float32Array.from(fit.M) : new Float32Array(rank * rank));
    values.set(tensorName(adapter, 'c'), fit ? Float32Array.from(fit.c) : new Float32Array(rank));
  }
  return values;
}
