import { mergedWeights, rewire } from '../../adapters/merge';
import { selectAdapters } from '../../adapters/targets/select';
import { GraphBuilder } from '../../graph/builder';
import { forOpset } from '../../graph/file/downgrade';
import { DType } from '../../graph/dtype';
import { namedAs } from '../../graph/layers/layer-names';
import { findLinearLayers } from '../../graph/layers/linear';
import type { Graph, Model, Node, Tensor } from '../../graph/model';
import { liftConstants } from '../../graph/upgrade/constants';
import { tensorOf } from '../../graph/values';
import { AuroraError } from '../../base/errors';
import type { Task } from '../task/task';
import { addLogits, headDims } from './head';

/**
 * The user's own file with W0 + ΔW in place of W0: the same nodes, the same opset, constants in the same places, and
 * the trained head appended.
 *
 * @returns the model, and the names of the initializers whose values changed
 */
export function mergedModel(
  task: Task,
  parameters: ReadonlyMap<string, Float32Array>,
): { model: Model; changed: ReadonlySet<Tensor> } {
  const { original } = task;
  // Nodes remain the same objects, so that facts about one graph hold for the other.
  const lifted = liftConstants(original.graph);
  const layers = namedAs(
    findLinearLayers(lifted),
    task.adapters.map((a) => a.layer.path),
  );
  const { adapters } = selectAdapters(lifted, layers, task.spec.adapter, task.graph.output);
  const missing = task.adapters.find((a) => !adapters.some((b) => b.layer.path === a.layer.path));
  if (missing)
    throw new AuroraError(
      'model',
      `${missing.layer.path} is a fused operator in ${task.spec.model.path}, so its weight cannot be replaced in place.`,
      'Export with --as onnx-dynamic, or train on an export without fused operators.',
    );
  const merge = mergedWeights(adapters, parameters);
  const initializers = new Map([...original.graph.initializers, ...merge.added]);
  const changed = new Set(merge.added.values());
  for (const [name, tensor] of merge.changed)
    if (initializers.has(name)) {
      // All other fields of the weight in the file are kept.
      const own: Tensor = { ...tensor, unknown: initializers.get(name)!.unknown };
      initializers.set(name, own);
      changed.add(own);
    }
  const graph: Graph = { ...original.graph, initializers, outputs: [...original.graph.outputs] };
  const nodes = original.graph.nodes.map((n) => rewire(withConstant(n, merge.changed), merge.rewired));
  graph.nodes = [...nodes, ...headNodes(task, { ...graph, nodes }, parameters)];
  // Before IR version 4, every initializer also had to be an input.
  return { model: { ...original, irVersion: Math.max(4, original.irVersion), graph }, changed };
}

/** A Constant node whose output is a changed weight, with that weight. */
function withConstant(node: Node, changed: ReadonlyMap<string, Tensor>): Node {
  const tensor = node.opType === 'Constant' ? changed.get(node.outputs[0]) : undefined;
  if (!tensor) return node;
  const before = node.attributes.get('value');
  const name = before?.type === 'tensor' ? before.value.name : tensor.name;
  const value = { type: 'tensor', value: { ...tensor, name } } as const;
  return { ...node, attributes: new Map([...node.attributes, ['value', value]]) };
}

/** In the file's opset; its constants go into `graph`, which shares its lists with the model. */
function headNodes(task: Task, graph: Graph, parameters: ReadonlyMap<string, Float32Array>): Node[] {
  const { head } = task;
  if (!head) return [];
  const added: Node[] = [];
  const g = new GraphBuilder(graph, '/aurora', added);
  const dims = headDims(task);
  for (const part of ['weight', 'bias'] as const)
    g.addInitializer(tensorOf(head[part], DType.float, dims[part], parameters.get(head[part])!));
  addLogits(task, g, head, task.data.labels.length);
  return forOpset(added, graph, task.original.opsets.get('') ?? 1);
}
