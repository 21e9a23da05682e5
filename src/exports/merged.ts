import { mergedNodes, mergedWeights, type Merge, type MergeOptions } from '../adapters/merge';
import { GraphBuilder } from '../graph/builder';
import { forOpset } from '../graph/file/downgrade';
import { inlineFunctions } from '../graph/inline';
import { DType } from '../graph/dtype';
import { isDynamic } from '../graph/quantized/dynamic-quantization';
import { adaptableLayers } from '../graph/layers/embeddings';
import { findLinearLayers, type LinearLayer } from '../graph/layers/linear';
import type { Graph, Model, Node, Tensor } from '../graph/model';
import { readsOf } from '../graph/reads';
import { decoderBranch, isMerged } from '../graph/without-past';
import { isSorting } from '../graph/layers/sorted-input';
import { PASSES } from '../graph/layers/weight-operands';
import { liftConstants } from '../graph/upgrade/upgrade';
import { readTensorBytes, tensorOf } from '../graph/values';
import { AuroraError } from '../base/errors';
import { aboutMethod } from '../experiment/methods';
import type { RequantizedLayer } from '../protocol/export';
import type { Task } from '../training/task/task';
import { addLogits, headDims } from './logits-head';

interface MergedModel {
  model: Model;
  /** The initializers whose values changed. */
  changed: ReadonlySet<Tensor>;
}

export interface MergedOptions extends Pick<MergeOptions, 'keep'> {
  /** Called with each layer whose weight is quantized again; if it is left out, such weights become floats. */
  onRequantized?: (layer: RequantizedLayer) => void;
}

/**
 * The user's own file with W0 + ΔW in place of W0: the same nodes, the same opset, constants in the same places, and
 * the trained head appended. A decoder keeps its cache.
 */
export function mergedModel(
  task: Task,
  parameters: ReadonlyMap<string, Float32Array>,
  options: MergedOptions = {},
): MergedModel {
  const { original } = task;
  if (isMerged(original)) return mergedDecoders(task, parameters, options);
  const { model: whole } = inlineFunctions(original);
  const merge = mergeInto(task, whole.graph, parameters, options);
  if (whole !== original) requireOutside(task, merge);
  const initializers = new Map([...original.graph.initializers, ...merge.added]);
  const changed = new Set([...merge.added.values(), ...replace(initializers, merge)]);
  const graph: Graph = { ...original.graph, initializers, outputs: [...original.graph.outputs] };
  const all = original.graph.nodes.flatMap((n) => mergedNodes(n, merge));
  const nodes = withoutReplaced(initializers, all, merge).map((n) => withConstant(n, merge.changed));
  graph.nodes = [...nodes, ...headNodes(task, { ...graph, nodes }, parameters)];
  // Before IR version 4, every initializer also had to be an input.
  return { model: { ...original, irVersion: Math.max(4, original.irVersion), graph }, changed };
}

/**
 * A test for the task's layers: true if `mergedModel` can change the bias, which is the layer's own or that of an added node.
 */
export function takesBias({ original }: Pick<Task, 'original'>): (layer: LinearLayer) => boolean {
  if (isMerged(original) || inlineFunctions(original).model !== original)
    return ({ bias }) => bias !== undefined && !bias.shared;
  const own = new Set(findLinearLayers(liftConstants(original.graph)).map((l) => l.path));
  return ({ path, bias }) => bias !== undefined || own.has(path);
}

/** The changes in a graph of the model's file. Its nodes are the same objects. */
function mergeInto(
  task: Task,
  graph: Graph,
  parameters: ReadonlyMap<string, Float32Array>,
  { keep, onRequantized }: MergedOptions,
): Merge {
  // Nodes remain the same objects, so that facts about one graph hold for the other.
  const lifted = liftConstants(graph);
  const layers = new Map(adaptableLayers(lifted).map((l) => [l.path, l]));
  const adapters = task.adapters.map((a) => {
    const own = layers.get(a.layer.path);
    // A fused operator may do a layer's product, or add its bias.
    const whole = own && (own.bias || !a.layer.bias || !aboutMethod(a.spec.method).onlyBiases);
    return { ...a, layer: whole ? own : insideFused(task, a.layer, lifted, onRequantized !== undefined) };
  });
  const merge = mergedWeights(adapters, parameters, {
    keep,
    ...(onRequantized && { requantize: { graph: lifted, onLayer: onRequantized } }),
  });
  requireNodes(task, graph, merge);
  return merge;
}

/** @throws AuroraError 'model' for a bias of a layer that is no node of the file, but a part of a fused operator */
function requireNodes({ spec }: Task, { nodes }: Graph, { biased }: Merge): void {
  const own = new Set(nodes);
  const [, name] = [...biased].find(([node]) => !own.has(node)) ?? [];
  if (name === undefined) return;
  throw new AuroraError(
    'model',
    `${spec.model.path} computes the layer of ${name} in a fused operator without a bias, so none can be added in place.`,
    'Export with --as onnx-dynamic, or train without adapter.loraBias.',
  );
}

/**
 * Local functions stay as they are in the user's file: only their inputs from the graph can be replaced.
 *
 * @throws AuroraError 'model' for a weight inside a function, or one that only some of the nodes in it may read
 */
function requireOutside({ original, spec }: Task, { changed, added }: Merge): void {
  const isOwn = (name: string) =>
    original.graph.initializers.has(name) || original.graph.nodes.some((n) => n.outputs.includes(name));
  const inside = [...added.keys(), ...[...changed.keys()].filter((name) => !isOwn(name))].at(0);
  if (inside === undefined) return;
  throw new AuroraError(
    'model',
    `${inside} belongs to a local function of ${spec.model.path}, so it cannot be replaced in place.`,
    'Export with --as onnx-dynamic.',
  );
}

/**
 * A layer of the rewritten graph whose values a fused operator of the file reads from the same initializers.
 * One of dynamic int8 is refused too: in float32, it would no longer round its input.
 *
 * @param requantize true if it keeps its integers
 * @throws AuroraError 'model' if something else reads them too
 */
function insideFused(
  { spec }: Task,
  layer: LinearLayer,
  { initializers }: Graph,
  requantize: boolean,
): LinearLayer {
  const { path, weight, bias, sharedWith, calls } = layer;
  const isStored = (t: Tensor) => initializers.get(t.name)?.dims.join() === t.dims.join();
  const keepsForm = !layer.dequantize || (requantize && isDynamic(calls[0].node));
  const isWhole = keepsForm && isStored(weight) && sharedWith.length === 0;
  if (isWhole && (!bias || (isStored(bias.tensor) && !bias.shared))) return layer;
  throw new AuroraError(
    'model',
    `${path} is inside a fused or dynamically quantized operator in ${spec.model.path}, so its weight cannot be replaced in place.`,
    layer.dequantize
      ? 'Export with --as onnx-dynamic, or with --requantize.'
      : 'Export with --as onnx-dynamic, or train on an export without fused operators.',
  );
}

/** Removes quantized weights that were replaced, and the nodes that dequantized them. */
function withoutReplaced(initializers: Map<string, Tensor>, all: Node[], { replaced }: Merge): Node[] {
  let nodes = all;
  let before = [...replaced.keys()];
  while (before.length > 0) {
    const read = new Set(nodes.flatMap(readsOf));
    const unread = new Set(before.flatMap((n) => n.inputs).filter((x) => !read.has(x)));
    for (const name of unread) initializers.delete(name);
    const isDead = (n: Node) => (PASSES.has(n.opType) || isSorting(n)) && unread.has(n.outputs[0]);
    before = nodes.filter(isDead);
    nodes = nodes.filter((n) => !isDead(n));
  }
  return nodes;
}

/** @returns the new tensors among the initializers */
function replace(initializers: Map<string, Tensor>, merge: Merge): Tensor[] {
  const made: Tensor[] = [];
  for (const [name, tensor] of merge.changed)
    if (initializers.has(name)) {
      // All other fields of the weight in the file are kept.
      const own: Tensor = { ...tensor, unknown: initializers.get(name)!.unknown };
      initializers.set(name, own);
      made.push(own);
    }
  return made;
}

/**
 * A file with two decoders (`use_cache_branch`), which read the same weights.
 *
 * @throws AuroraError 'model' if one of the adapted weights belongs to one decoder alone
 */
function mergedDecoders(
  task: Task,
  parameters: ReadonlyMap<string, Float32Array>,
  { keep, onRequantized }: MergedOptions,
): MergedModel {
  const { original, spec } = task;
  const [one, other] = [onRequantized, onRequantized && (() => {})].map((onLayer, i) =>
    mergeInto(task, decoderBranch(original, i === 1).graph, parameters, {
      keep,
      onRequantized: onLayer,
    }),
  );
  const isShared = ([name, tensor]: [string, Tensor]) => {
    const twin = other.changed.get(name);
    return (
      original.graph.initializers.has(name) &&
      twin !== undefined &&
      Buffer.from(readTensorBytes(tensor)).equals(readTensorBytes(twin))
    );
  };
  const own = [...one.changed].find((entry) => !isShared(entry))?.[0] ?? [...one.added.keys()].at(0);
  if (own !== undefined)
    throw new AuroraError(
      'model',
      `${spec.model.path} holds two decoders, and ${own} cannot be replaced in both.`,
      'Export with --as onnx-dynamic, or train on the file of one decoder (in Optimum: without "merged").',
    );
  const initializers = new Map(original.graph.initializers);
  const changed = new Set(replace(initializers, one));
  const graph: Graph = { ...original.graph, initializers, outputs: [...original.graph.outputs] };
  graph.nodes = [...graph.nodes, ...headNodes(task, graph, parameters)];
  return { model: { ...original, graph }, changed };
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
