import { describeTask } from '../../experiment/tasks/registry';
import { addPooling, maskInput } from '../../tasks/head';
import { GraphBuilder } from '../../graph/builder';
import { DType } from '../../graph/dtype';
import { outputsNamed, type Graph, type Model } from '../../graph/model';
import { prune } from '../../graph/reads';
import { separator } from '../../graph/separator';
import type { Task } from '../task/task';

/** The part of a task's model that no step changes, from the inputs to one tensor. */
export interface Prefix {
  model: Model;
  /** Its only output, float32: (batch, width), or with `perToken` (batch, sequence, width). */
  tensor: string;
  width: number;
  perToken: boolean;
  /** The rest of the model, with the tensor as an input. */
  rest: { graph: Graph; output: string };
}

const PRODUCTS = ['MatMul', 'Gemm'];

/** Without an adapter: the whole model up to the vector that the head reads. */
export function pooledPrefix(task: Task): Prefix | undefined {
  if (task.adapters.length > 0 || !task.head?.pooling) return undefined;
  const { graph } = task.model;
  const copy = { ...graph, nodes: [...graph.nodes], initializers: new Map(graph.initializers) };
  const { output } = task.graph;
  const info = task.infos.get(output)!;
  const mask = maskInput(graph.inputs.map((i) => i.name));
  const pooled = addPooling(new GraphBuilder(copy, '/frozen'), output, info, task.head.pooling, mask);
  const width = info.shape.at(-1) as number;
  return cut(task, copy, { tensor: pooled, width, perToken: false }, pooled);
}

/** Everything below the lowest adapter; undefined if that has no matrix product, or does not end in a single tensor. */
export function layersPrefix(task: Task): Prefix | undefined {
  const { graph } = task.model;
  const names = graph.inputs.map((i) => i.name);
  // The mask is not part of a text: it marks where texts end. Readers after the prefix still receive it.
  const mask = maskInput(names);
  const texts = names.filter((n) => n !== mask && !graph.initializers.has(n));
  const moving = task.adapters.flatMap((a) => a.layer.calls.map((c) => c.output));
  const alone = new Set(graph.nodes.flatMap((n) => (n.outputs.length === 1 ? n.outputs : [])));
  const { output } = task.graph;
  const tensor = separator(graph, texts, moving, output, (x) => alone.has(x) && isRows(task, x));
  if (tensor === undefined) return undefined;
  const { shape } = task.infos.get(tensor)!;
  const prefix = cut(
    task,
    graph,
    { tensor, width: shape.at(-1) as number, perToken: shape.length === 3 },
    output,
  );
  return prefix.model.graph.nodes.some((n) => PRODUCTS.includes(n.opType)) ? prefix : undefined;
}

/** True if a tensor has one vector per text or per token. */
function isRows({ infos, spec }: Task, name: string): boolean {
  const info = infos.get(name);
  if (info?.dtype !== DType.float || typeof info.shape.at(-1) !== 'number') return false;
  const axes = info.shape.slice(0, -1).join();
  // Examples that are images have one size, whatever their patches.
  const hasTokens = describeTask(spec.task.type).input !== 'image';
  return axes === 'batch' || (hasTokens && axes === 'batch,sequence');
}

function cut(
  task: Task,
  graph: Graph,
  found: Pick<Prefix, 'tensor' | 'width' | 'perToken'>,
  output: string,
): Prefix {
  const { tensor, width, perToken } = found;
  const shape = perToken ? ['batch', 'sequence', width] : ['batch', width];
  const rest: Graph = {
    ...graph,
    nodes: graph.nodes.filter((n) => !n.outputs.includes(tensor)),
    inputs: [...graph.inputs, { name: tensor, dtype: DType.float, shape }],
    initializers: new Map(graph.initializers),
  };
  // A graph's output must be a node's output.
  const end = output === tensor ? new GraphBuilder(rest, '/rest').op('Identity', [tensor]) : output;
  return {
    ...found,
    model: { ...task.model, graph: prune({ ...graph, outputs: outputsNamed([tensor]) }) },
    rest: { graph: prune({ ...rest, outputs: outputsNamed([end]) }), output: end },
  };
}
