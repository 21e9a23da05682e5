import { differentiate } from '../../graph/autodiff/differentiate';
import { recompute } from '../../graph/autodiff/recompute';
import { GraphBuilder } from '../../graph/builder';
import { markFrozenProducts } from '../../graph/int8/frozen-products';
import { outputsNamed, type Graph, type Model } from '../../graph/model';
import { prune } from '../../graph/prune';
import { statedInfos } from '../../graph/sizes/batch-infos';
import type { TaskGraph } from '../../tasks/task-graph';
import type { TaskOptions } from '../stepper';
import { requireReached } from '../../tasks/trained-tensors';
import { foldConstants } from './fold';
import { GRAD_SCALE } from './gradient-scale';
import { probe } from './probe';

/** Explains to users who requested checkpointing why nothing changed. */
const NOTHING_TO_RECOMPUTE =
  'Gradient checkpointing has no effect on this model: the backward pass reads too little from inside its layers ' +
  'for recomputation to save memory. Training continues without it.';

/**
 * Forward and backward in one graph; its outputs are the loss and the gradients.
 *
 * @param frozen the user's graph, if the products with its weights are to be marked
 */
export async function trainingGraph(
  task: TaskGraph,
  folder: string,
  options: Pick<TaskOptions, 'gradientCheckpointing'> = {},
  frozen?: Graph,
): Promise<{ model: Model; gradients: Map<string, string>; warnings: string[] }> {
  // A probe would run a U-Net at its full size, and with several examples at once.
  const infos = (task.sized && statedInfos(task.model.graph)) ?? (await probe(task.model, folder));
  const folded = await foldConstants(task.model, infos);
  const names = task.trainable.map((t) => t.name);
  const marked = frozen ? markFrozenProducts(folded, frozen, names) : folded;
  const graph = { ...marked, nodes: [...marked.nodes], inputs: [...marked.inputs] };
  const dtype = infos.get(task.lossSum)!.dtype;
  new GraphBuilder(graph, '/seed').addInput(GRAD_SCALE, dtype, []);
  const forward = new Set(graph.nodes);
  const gradients = differentiate(graph, infos, new Map([[task.lossSum, GRAD_SCALE]]), names, task.stop);
  requireReached(names.filter((n) => !gradients.has(n)));
  graph.outputs = outputsNamed([task.lossSum, task.count, ...gradients.values()]);
  const step = prune(graph);
  if (!options.gradientCheckpointing)
    return { model: { ...task.model, graph: step }, gradients, warnings: [] };
  const again = recompute(step, forward, infos, [GRAD_SCALE], names);
  const warnings = again.segments ? [] : [NOTHING_TO_RECOMPUTE];
  return { model: { ...task.model, graph: again.graph }, gradients, warnings };
}
