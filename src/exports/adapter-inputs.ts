import { injectAdapters, tensorName } from '../adapters/inject';
import { methodOf } from '../adapters/methods/registry';
import { GraphBuilder } from '../graph/builder';
import { DType } from '../graph/dtype';
import { pytorchPathOf } from '../graph/layers/linear';
import type { Dim, Model } from '../graph/model';
import type { FloatTensor } from '../graph/file/safetensors';
import { withoutUnused } from '../graph/reads';
import type { Task } from '../training/task/task';
import { baseGraph } from './base-graph';
import { addLogits, headDims } from './head';
import { HEAD_KEY, peftKey, PREFIX } from '../peft/keys';

/**
 * The base model with its adapters' tensors as inputs, and this run's values for them. Inputs are named as in PEFT's
 * files, plus `….scaling`, which is alpha/r (0-dimensional). Rank and number of labels are free axes, so runs that
 * differ only in these and in alpha produce the same file.
 */
export function adapterInputsModel(
  task: Task,
  parameters: ReadonlyMap<string, Float32Array>,
): { model: Model; values: Map<string, FloatTensor> } {
  const values = new Map<string, FloatTensor>();
  const inputs: { name: string; shape: Dim[] }[] = [];
  const add = (name: string, shape: Dim[], dims: number[], data: Float32Array) => {
    inputs.push({ name, shape });
    values.set(name, { dims, data });
  };
  const base = baseGraph(task);
  for (const a of base.adapters) {
    const { layer, spec } = a;
    const path = pytorchPathOf(layer);
    const rank = `rank of ${path}`;
    for (const t of a.tensors) {
      const shape = t.dims.map((d, axis) => (t.rankAxes.includes(axis) ? rank : d));
      add(peftKey(path, t.peftName), shape, t.dims, parameters.get(tensorName(a, t.name))!);
    }
    const scale = methodOf(spec).scale?.(spec);
    if (scale !== undefined) add(scalingKey(path), [], [], Float32Array.of(scale));
  }
  if (task.head) {
    const { weight, bias } = headDims(task);
    add(HEAD_KEY.weight, ['labels', weight[1]], weight, parameters.get(task.head.weight)!);
    add(HEAD_KEY.bias, ['labels'], bias, parameters.get(task.head.bias)!);
  }
  const names = (a: Task['adapters'][number]) => ({
    ...Object.fromEntries(a.tensors.map((t) => [t.name, peftKey(pytorchPathOf(a.layer), t.peftName)])),
    ...(methodOf(a.spec).scale && { scale: scalingKey(pytorchPathOf(a.layer)) }),
  });
  const { graph } = injectAdapters(base.model.graph, base.adapters, DType.float, { names });
  const g = new GraphBuilder({ ...graph, outputs: [...graph.outputs] }, '/aurora');
  for (const { name, shape } of inputs) g.addInput(name, DType.float, shape);
  if (task.head) addLogits(task, g, HEAD_KEY, 'labels');
  return { model: { ...base.model, graph: withoutUnused(g.graph) }, values };
}

const scalingKey = (path: string): string => `${PREFIX}${path}.scaling`;
