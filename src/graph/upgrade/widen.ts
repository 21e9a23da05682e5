import { attrInt, toAttribute } from '../attributes';
import { GraphBuilder } from '../builder';
import { mapValueInfo } from '../declared';
import { DType } from '../dtype';
import {
  elementCount,
  type Attribute,
  type Graph,
  type Model,
  type Node,
  type Tensor,
  type ValueInfo,
} from '../model';
import { scalesOf } from '../quantized/dequantize';
import { floatValues, tensorNumbers, tensorOf } from '../values';

const HALVES: number[] = [DType.float16, DType.bfloat16];
const isHalf = (dtype: number): boolean => HALVES.includes(dtype);

/** Larger ones stay as they are in the file: the runtime widens them. */
const SMALL = 4096;

/**
 * Makes a model compute in float32 where it computes in 16 bits: adapters are trained in float32, and the CPU has no
 * kernels for 16 bits. Weights stay in their file. Returns the model itself if it has no number of 16 bits.
 *
 * @param model with its constants as initializers
 */
export function widen(model: Model): Model {
  return usesHalves(model.graph) ? { ...model, graph: widenGraph(model.graph) } : model;
}

function usesHalves(graph: Graph): boolean {
  return (
    [...graph.initializers.values()].some((t) => isHalf(t.dtype)) ||
    [...graph.inputs, ...graph.outputs].some((i) => isHalf(i.dtype)) ||
    graph.nodes.some(
      (n) =>
        (n.opType === 'Cast' && isHalf(attrInt(n, 'to', 0))) ||
        [...n.attributes.values()].some((a) => a.type === 'graph' && usesHalves(a.value)),
    )
  );
}

/** The tensors that a subgraph reads from the graphs around it. */
interface Scope {
  prefix: string;
  /** True for the name of a constant that still has 16 bits. */
  isHalf: (name: string) => boolean;
  /** The name of its values in float32. */
  widened: (name: string) => string;
}

/** @param outer the scope around a subgraph */
function widenGraph(source: Graph, outer?: Scope): Graph {
  const wide = (i: ValueInfo): ValueInfo =>
    isHalf(i.dtype) ? { ...i, dtype: DType.float, raw: undefined } : i;
  const initializers = new Map<string, Tensor>();
  const graph: Graph = {
    ...source,
    nodes: [],
    initializers,
    inputs: source.inputs.map(wide),
    outputs: source.outputs.map(wide),
    unknown: mapValueInfo(source, wide),
  };
  for (const t of source.initializers.values()) initializers.set(t.name, t);
  const prefix = outer ? `${outer.prefix}/inner` : '/widen';
  const g = new GraphBuilder({ ...graph, nodes: source.nodes }, prefix, graph.nodes);
  const renamed = new Map<string, string>();
  const tables = new Set(source.nodes.flatMap((n) => (n.opType === 'Gather' ? [n.inputs[0]] : [])));
  // Scales have to be constants, for the values of a weight and for its gradient.
  const scales = new Set([...nodesWithin(source)].flatMap(scalesOf));
  const read = new Set(source.nodes.flatMap((n) => (widens(n) ? [] : n.inputs)));
  for (const t of source.initializers.values()) {
    if (!isHalf(t.dtype)) continue;
    if (elementCount(t.dims) <= SMALL || scales.has(t.name)) {
      initializers.set(t.name, tensorOf(t.name, DType.float, t.dims, floatValues(t)));
      continue;
    }
    if (tables.has(t.name) || !read.has(t.name)) continue;
    renamed.set(t.name, g.op('Cast', [t.name], { to: DType.float }));
  }
  const scope: Scope = {
    prefix,
    isHalf: (name) => {
      const own = initializers.get(name);
      return own ? isHalf(own.dtype) : (outer?.isHalf(name) ?? false);
    },
    widened: (name) => {
      const known = renamed.get(name);
      if (known !== undefined || !scope.isHalf(name)) return known ?? name;
      if (!initializers.has(name)) return outer!.widened(name);
      const wide = g.op('Cast', [name], { to: DType.float });
      renamed.set(name, wide);
      return wide;
    },
  };
  for (const node of source.nodes) {
    const attributes = new Map(
      [...node.attributes].map(([name, a]) => [name, widenAttribute(name, a, scope)]),
    );
    if (node.opType === 'Gather' && scope.isHalf(node.inputs[0])) {
      // Only the rows that are read are widened.
      const rows = g.fresh('rows');
      graph.nodes.push({ ...node, outputs: [rows], attributes });
      // A name other than its output's, as the node itself may have that.
      g.op('Cast', [rows], { to: DType.float }, { name: `${rows}/Cast`, outputs: node.outputs });
      continue;
    }
    const inputs = widens(node) ? node.inputs : node.inputs.map(scope.widened);
    graph.nodes.push({ ...node, inputs, attributes });
  }
  return graph;
}

/** True for a Cast to float32. In a file that `aurora quantize` wrote, weights of 16 bits are widened already. */
const widens = (n: Node): boolean => n.opType === 'Cast' && attrInt(n, 'to', 0) === DType.float;

/** The nodes of a graph and of its subgraphs. */
function* nodesWithin({ nodes }: Graph): Generator<Node> {
  for (const node of nodes) {
    yield node;
    for (const a of node.attributes.values()) if (a.type === 'graph') yield* nodesWithin(a.value);
  }
}

function widenAttribute(name: string, a: Attribute, scope: Scope): Attribute {
  if (a.type === 'graph') return { type: 'graph', value: widenGraph(a.value, scope) };
  if (a.type === 'tensor' && isHalf(a.value.dtype))
    return {
      type: 'tensor',
      value: tensorOf(a.value.name, DType.float, a.value.dims, tensorNumbers(a.value)),
    };
  const isType = a.type === 'int' && (name === 'to' || name === 'dtype' || name === 'output_dtype');
  return isType && isHalf(Number(a.value)) ? toAttribute(DType.float) : a;
}
