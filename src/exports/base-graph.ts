import type { LayerAdapter } from '../adapters/targets/select';
import type { Model } from '../graph/model';
import { cacheInputs, isMerged } from '../graph/without-past';
import { withPast } from '../graph/with-past';
import { onModel } from '../tasks/decoder-graphs';
import type { Task } from '../training/task/task';

/**
 * True if exported graphs have the cache of the base model's file. Two decoders in one file do not fit into one graph.
 */
const keepsPast = ({ original }: Pick<Task, 'original'>): boolean =>
  cacheInputs(original.graph).length > 0 && !isMerged(original);

/** The graph that an export puts its adapters into, at the internal opset, and the adapters on its layers. */
export function baseGraph(task: Task): { model: Model; adapters: readonly LayerAdapter[] } {
  const { model, adapters } = task;
  if (!keepsPast(task)) return { model, adapters };
  const whole = withPast(task.original);
  const fitted = onModel(whole, adapters);
  return fitted ? { model: whole, adapters: fitted } : { model, adapters };
}
