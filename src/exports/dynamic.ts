import { storedTensors, tensorName } from '../adapters/stored-tensors';
import { injectAdapters } from '../adapters/inject';
import { methodOf } from '../adapters/methods/registry';
import type { LayerAdapter } from '../adapters/targets/select';
import { GraphBuilder } from '../graph/builder';
import { DType } from '../graph/dtype';
import type { FloatTensor } from '../graph/file/safetensors';
import { pytorchPathOf } from '../graph/layers/linear';
import type { Dim, Model } from '../graph/model';
import { withoutUnused } from '../graph/reads';
import { tensorOf } from '../graph/values';
import { withPast } from '../graph/with-past';
import { cacheInputs, isMerged } from '../graph/without-past';
import { HEAD_KEY, peftKey, PREFIX } from '../peft/keys';
import { onModel } from '../tasks/decoder-graphs';
import type { Task } from '../training/task/task';
import { addLogits, headDims } from './logits-head';

/**
 * The trained forward pass itself, with adapters as nodes, at the internal opset; in the form of the task's adapters.
 */
export function dynamicModel(task: Task, parameters: ReadonlyMap<string, Float32Array>): Model {
  const base = baseGraph(task);
  const { graph } = injectAdapters(base.model.graph, base.adapters, DType.float);
  const g = new GraphBuilder({ ...graph, outputs: [...graph.outputs] }, '/aurora');
  const add = (name: string, dims: number[]) =>
    g.addInitializer(tensorOf(name, DType.float, dims, parameters.get(name)!));
  for (const { name, tensor } of storedTensors(base.adapters)) add(name, tensor.dims);
  if (task.head) {
    const dims = headDims(task);
    for (const part of ['weight', 'bias'] as const) add(task.head[part], dims[part]);
    addLogits(task, g, task.head, task.data.labels.length);
  }
  return { ...base.model, graph: withoutUnused(g.graph) };
}

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

/**
 * True if exported graphs have the cache of the base model's file. Two decoders in one file do not fit into one graph.
 */
const keepsPast = ({ original }: Pick<Task, 'original'>): boolean =>
  cacheInputs(original.graph).length > 0 && !isMerged(original);

/** The graph that an export puts its adapters into, at the internal opset, and the adapters on its layers. */
function baseGraph(task: Task): { model: Model; adapters: readonly LayerAdapter[] } {
  const { model, adapters } = task;
  if (!keepsPast(task)) return { model, adapters };
  const whole = withPast(task.original);
  const fitted = onModel(whole, adapters);
  return fitted ? { model: whole, adapters: fitted } : { model, adapters };
}
