import { differentiate } from '../../graph/autodiff/differentiate';
import { recompute } from '../../graph/autodiff/recompute';
import { GraphBuilder } from '../../graph/builder';
import { DType } from '../../graph/dtype';
import { columnWeights, markFrozenProducts } from '../../graph/int8/frozen-products';
import {
  elementCount,
  type Graph,
  type Model,
  type Node,
  outputsNamed,
  type Tensor,
} from '../../graph/model';
import { encodeModel } from '../../graph/onnx/encode';
import { prune } from '../../graph/reads';
import type { TensorInfos } from '../../graph/tensor-infos';
import { tensorOf } from '../../graph/values';
import { requireReached, type TaskGraph } from '../../tasks/task-graph';
import type { TaskOptions } from '../stepper';
import { probe, statedInfos } from './probe';
import { openSession } from './session';
import { GRAD_SCALE } from './step-constants';

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
  // A probe takes longer, and would run a U-Net at its full size, with several examples at once.
  const infos = statedInfos(task.model) ?? (await probe(task.model, folder));
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

/** Larger ones are tables, which no gradient rule reads. */
const LARGEST = 1024;
const TYPES: number[] = [DType.float, DType.double, DType.int64, DType.int32, DType.bool];

/**
 * The graph with small constants in place of the nodes that compute them from constants and fixed sizes. Without
 * folding, an exporter writes even a Slice's axes as nodes, and gradient rules need their values.
 *
 * @param model with all of its tensors in `infos`
 */
async function foldConstants(model: Model, infos: TensorInfos): Promise<Graph> {
  const { graph } = model;
  const initializers = new Map(graph.initializers);
  const known = new Set(initializers.keys());
  // However small: products in int8 read their integers.
  const columns = columnWeights(graph);
  const folded: Node[] = [];
  const kept: Node[] = [];
  for (const node of graph.nodes) {
    const size = fixedSize(node, infos);
    if (size) initializers.set(node.outputs[0], size);
    else if (
      isFoldable(node) &&
      !columns.has(node.outputs[0]) &&
      node.inputs.every((x) => x === '' || known.has(x))
    )
      folded.push(node);
    else {
      kept.push(node);
      continue;
    }
    node.outputs.forEach((y) => known.add(y));
  }
  const read = new Set([...kept.flatMap((n) => n.inputs), ...graph.outputs.map((o) => o.name)]);
  const wanted = folded.filter((n) => n.outputs.length === 1 && read.has(n.outputs[0]) && isSmall(n, infos));
  if (wanted.length) {
    const outputs = outputsNamed(wanted.map((n) => n.outputs[0]));
    const part = prune({ ...graph, initializers, nodes: folded, inputs: [], outputs });
    const session = await openSession(encodeModel({ ...model, graph: part }));
    // Read as bytes: the end of an open Slice, 2^63 − 1, would not survive as a number.
    for (const [name, { dtype, dims, data }] of Object.entries(await session.run({}))) {
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
      initializers.set(name, { name, dtype, dims, data: bytes });
    }
    await session.dispose();
  }
  const nodes = graph.nodes.filter((n) => !n.outputs.some((y) => initializers.has(y)));
  return { ...graph, nodes, initializers };
}

/** A Shape or Size of a tensor with a fixed shape. */
function fixedSize(
  { opType, domain, inputs, outputs, attributes }: Node,
  infos: TensorInfos,
): Tensor | undefined {
  if ((opType !== 'Shape' && opType !== 'Size') || domain !== '') return undefined;
  const shape = infos.get(inputs[0])?.shape ?? [undefined];
  const bound = (name: string, otherwise: number) => Number(attributes.get(name)?.value ?? otherwise);
  const sizes = shape.slice(bound('start', 0), bound('end', shape.length));
  if (!sizes.every((d) => typeof d === 'number')) return undefined;
  return opType === 'Shape'
    ? tensorOf(outputs[0], DType.int64, [sizes.length], sizes)
    : tensorOf(outputs[0], DType.int64, [], [elementCount(sizes)]);
}

/** Random numbers are not constants, and bodies of If, Loop and Scan read their enclosing scope. */
const isFoldable = (node: Node): boolean =>
  node.domain === '' &&
  !/^(?:Random|Bernoulli|Multinomial)/.test(node.opType) &&
  [...node.attributes.values()].every((a) => a.type !== 'graph');

function isSmall(node: Node, infos: TensorInfos): boolean {
  const info = infos.get(node.outputs[0]);
  return (
    info !== undefined &&
    TYPES.includes(info.dtype) &&
    info.shape.every((d) => typeof d === 'number') &&
    elementCount(info.shape as number[]) <= LARGEST
  );
}
