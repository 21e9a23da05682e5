import { injectAdapters, tensorName } from '../adapters/inject';
import { GraphBuilder } from '../graph/builder';
import { DType } from '../graph/dtype';
import type { Model } from '../graph/model';
import { tensorOf } from '../graph/values';
import { withoutUnused } from '../graph/reads';
import type { Task } from '../training/task/task';
import { baseGraph } from './base-graph';
import { addLogits, headDims } from './head';

/**
 * The trained forward pass itself, with adapters as nodes, at the internal opset; in the form of the task's adapters.
 */
export function dynamicModel(task: Task, parameters: ReadonlyMap<string, Float32Array>): Model {
  const base = baseGraph(task);
  const { graph } = injectAdapters(base.model.graph, base.adapters, DType.float);
  const g = new GraphBuilder({ ...graph, outputs: [...graph.outputs] }, '/aurora');
  const add = (name: string, dims: number[]) =>
    g.addInitializer(tensorOf(name, DType.float, dims, parameters.get(name)!));
  for (const a of base.adapters) for (const t of a.tensors) add(tensorName(a, t.name), t.dims);
  if (task.head) {
    const dims = headDims(task);
    for (const part of ['weight', 'bias'] as const) add(task.head[part], dims[part]);
    addLogits(task, g, task.head, task.data.labels.length);
  }
  return { ...base.model, graph: withoutUnused(g.graph) };
}
