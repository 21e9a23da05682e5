import { filterValueInfo } from '../declared';
import { byteSize, DType } from '../dtype';
import { EXTERNAL_FROM, sizeOf } from '../file/save';
import { elementCount, type Graph, type Node, type Tensor, type ValueInfo } from '../model';
import { prune } from '../reads';
import { infosAtMadeUpSizes } from '../sizes/sizes';
import type { TensorInfo, TensorInfos } from '../tensor-infos';

/** From so many nodes on, a step takes seconds to open, also if it declares the sizes of its tensors. */
export const IN_BLOCKS_FROM = 7000;

/** Fewest and most nodes of a block. */
const BLOCK = [100, 200] as const;

/** An input with a default value: a constant would be folded, and the blocks be put back into the graph. */
const CONDITION = 'aurora.block';

/**
 * A graph whose nodes are in blocks, each the body of an If that is always taken. For each new tensor, ONNX Runtime looks through
 * all tensors of the same body that are free again, so opening a graph takes a time that grows with the square of its nodes: 7.8 s of
 * CPU time for the 7,600 nodes of 8 layers of LLaMA3-8B, and 0.9 s in blocks. Blocks also run in their order, where the runtime would
 * choose one. They are cut where little crosses: a block's inputs stay in memory until its end.
 *
 * @param graph in execution order
 * @returns the graph itself if the type of some tensor is not known before it runs
 */
export function inBlocks(graph: Graph): Graph {
  const infos = infosAtMadeUpSizes(graph);
  if (!infos || graph.nodes.some((n) => [...n.attributes.values()].some((a) => a.type === 'graph')))
    return graph;
  const uses = usesOf(graph);
  const cuts = cutsOf(graph.nodes, uses, infos);
  const nodes = cuts.slice(1).map((to, i) => block(graph, { from: cuts[i], to, at: i }, uses, infos));
  if (nodes.includes(undefined)) return graph;
  const condition: Tensor = { name: CONDITION, dtype: DType.bool, dims: [], data: Uint8Array.of(1) };
  return prune({
    ...graph,
    nodes: nodes as Node[],
    initializers: new Map(graph.initializers).set(CONDITION, condition),
    inputs: [...graph.inputs, { name: CONDITION, dtype: DType.bool, shape: [] }],
    // The tensors that are declared are in the bodies now.
    unknown: filterValueInfo(graph, () => false),
  });
}

export const isInBlocks = ({ initializers }: Graph): boolean => initializers.has(CONDITION);

/** The position of a tensor's last reader: the number of nodes for outputs of the graph. */
type Uses = ReadonlyMap<string, number>;

function usesOf({ nodes, outputs }: Graph): Uses {
  const last = new Map<string, number>();
  for (const [i, node] of nodes.entries()) for (const x of node.inputs) last.set(x, i);
  for (const { name } of outputs) last.set(name, nodes.length);
  // An input that is left out reads no output that is.
  last.delete('');
  return last;
}

/** Where blocks begin, and the end: between two limits, where the fewest bytes cross. */
function cutsOf(nodes: readonly Node[], uses: Uses, infos: TensorInfos): number[] {
  const change = new Float64Array(nodes.length + 2);
  for (const [i, node] of nodes.entries())
    for (const y of node.outputs) {
      const bytes = bytesOf(infos.get(y));
      change[i + 1] += bytes;
      change[(uses.get(y) ?? i) + 1] -= bytes;
    }
  let live = 0;
  const crossing = change.map((c) => (live += c));
  const [least, most] = BLOCK;
  const cuts = [0];
  for (let from = 0; nodes.length - from > most; cuts.push(from)) {
    let best = from + least;
    for (let at = best; at <= from + most; at++) if (crossing[at] <= crossing[best]) best = at;
    from = best;
  }
  return [...cuts, nodes.length];
}

const bytesOf = (info: TensorInfo | undefined): number =>
  info ? elementCount(info.shape as number[]) * (byteSize(info.dtype) ?? 1) : 0;

/** An If with these nodes as its body. Undefined if the type of one of its outputs is unknown. */
function block(
  graph: Graph,
  { from, to, at }: { from: number; to: number; at: number },
  uses: Uses,
  infos: TensorInfos,
): Node | undefined {
  const part = graph.nodes.slice(from, to);
  const leaving = part.flatMap((n) => n.outputs.filter((y) => (uses.get(y) ?? 0) >= to));
  const outputs: ValueInfo[] = [];
  // A body may not use a name that exists outside.
  const inside = new Map<string, string>();
  const name = (x: string) => `/block${at}/${x}`;
  for (const y of leaving) {
    const info = infos.get(y);
    if (!info) return undefined;
    inside.set(y, name(y));
    outputs.push({ name: name(y), dtype: info.dtype, shape: undefined });
  }
  // Kernels look for the constants that they need when they are made, such as axes, in their own body alone.
  const constants = new Map<string, Tensor>();
  for (const x of part.flatMap((n) => n.inputs)) {
    const tensor = graph.initializers.get(x);
    if (!tensor || sizeOf(tensor) >= EXTERNAL_FROM) continue;
    inside.set(x, name(x));
    constants.set(name(x), { ...tensor, name: name(x) });
  }
  const renamed = (names: readonly string[]) => names.map((x) => inside.get(x) ?? x);
  const body: Graph = {
    name: `block${at}`,
    nodes: part.map((n) => ({ ...n, inputs: renamed(n.inputs), outputs: renamed(n.outputs) })),
    initializers: constants,
    inputs: [],
    outputs,
  };
  return {
    name: `/block${at}`,
    opType: 'If',
    domain: '',
    inputs: [CONDITION],
    outputs: leaving,
    attributes: new Map([
      ['then_branch', { type: 'graph', value: body }],
      ['else_branch', { type: 'graph', value: otherwise(outputs, at) }],
    ]),
    metadata: new Map(),
  };
}

/** Empty tensors of the same types, which are never made. */
function otherwise(outputs: readonly ValueInfo[], at: number): Graph {
  const name = ({ name }: ValueInfo) => `${name}/none`;
  return {
    name: `block${at}/none`,
    nodes: [],
    initializers: new Map(
      outputs.map((o) => [name(o), { name: name(o), dtype: o.dtype, dims: [0], data: new Uint8Array() }]),
    ),
    inputs: [],
    outputs: outputs.map((o) => ({ ...o, name: name(o) })),
  };
}
