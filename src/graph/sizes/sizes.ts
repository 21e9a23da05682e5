import { own } from '../../base/names';
import { attrInt } from '../attributes';
import { filterValueInfo, valueInfoBytes } from '../declared';
import { DType, isFloat } from '../dtype';
import { elementCount, type Graph, isFileRef, type Node, type Tensor } from '../model';
import type { TensorInfo } from '../tensor-infos';
import { tensorNumbers, tensorOf } from '../values';
import { dealtAxes, evenly } from './dealt-axes';
import { products, quantizedProducts } from './products';
import { BOOL, broadcast, like, SizeContext, type Sized, type SizeRule, UnknownSize } from './size-rule';
import { FROM_SIZES, KNOWN, MOST_VALUES } from './known-values';
import { views } from './view-sizes';

const table = (names: string, rule: SizeRule): Record<string, SizeRule> =>
  Object.fromEntries(names.split(' ').map((name) => [name, rule]));

const dropout: SizeRule = (c) => [{ dims: c.dims(0) }, { dims: c.dims(0), dtype: BOOL }];

/** The normalized input and, if they are asked for, mean and deviation, which keep the normalized axes with size 1. */
const layerNormalization: SizeRule = (c) => {
  const first = c.axis(-1);
  const statistics = { dims: c.dims(0).map((d, i) => (i < first ? d : 1)), dtype: DType.float };
  return [{ dims: c.dims(0) }, statistics, statistics];
};

/** Operators whose result has the shape of their inputs. */
const elementwise: Record<string, SizeRule> = {
  ...table('Add Sub Mul Div Mod Pow Max Min Sum Mean PRelu BitShift BitwiseAnd BitwiseOr', broadcast()),
  ...table('Equal Less LessOrEqual Greater GreaterOrEqual And Or Xor', broadcast(BOOL)),
  ...table('Not IsNaN IsInf', like(BOOL)),
  ...table(
    'Neg Abs Sign Floor Ceil Round Sqrt Reciprocal Exp Log Sin Cos Tan Asin Acos Atan Sinh Cosh Tanh Sigmoid Erf ' +
      'Relu LeakyRelu Elu Selu Celu Gelu HardSigmoid HardSwish Mish Softplus Softsign ThresholdedRelu Shrink Clip ' +
      'Identity Softmax LogSoftmax Hardmax CumSum Trilu BatchNormalization InstanceNormalization GroupNormalization ' +
      'LpNormalization ScatterElements ScatterND',
    like(),
  ),
  Where: broadcast(undefined, 1),
  Cast: (c) => [{ dims: c.dims(0), dtype: attrInt(c.node, 'to', DType.float) }],
  CastLike: (c) => [{ dims: c.dims(0), dtype: c.input(1).dtype }],
  DequantizeLinear: (c) => [{ dims: c.dims(0), dtype: c.input(1).dtype }],
  QuantizeLinear: (c) => [{ dims: c.dims(0), dtype: c.has(2) ? c.input(2).dtype : DType.uint8 }],
  Dropout: dropout,
  LayerNormalization: layerNormalization,
};

/** Rules by domain and operator. */
const RULES: Record<string, Record<string, SizeRule>> = {
  '': { ...elementwise, ...views, ...products },
  'com.microsoft': quantizedProducts,
};

/** A graph for one size of its inputs, with constants in place of tensors that only depend on sizes. */
export interface FixedGraph {
  graph: Graph;
  /** Type and sizes of each tensor; no axis is open. */
  infos: Map<string, TensorInfo & { shape: number[] }>;
}

/**
 * Type and size of every tensor of a graph, from the sizes of its inputs. Nothing is run, and of weights only the
 * sizes are looked at.
 *
 * @param inputs sizes by input
 * @param deal the sizes of parts that only data decide: those that a count of operations needs by default
 * @throws UnknownSize that names the first operator whose result cannot be known
 */
export function fixSizes(graph: Graph, inputs: ReadonlyMap<string, number[]>, deal = evenly): FixedGraph {
  const known = new Map<string, Sized>();
  const initializers = new Map(graph.initializers);
  for (const tensor of initializers.values()) known.set(tensor.name, sizedConstant(tensor));
  for (const { name, dtype } of graph.inputs) {
    const dims = inputs.get(name);
    if (dims && !known.has(name)) known.set(name, { dtype, dims });
  }
  const nodes: Node[] = [];
  for (const node of graph.nodes) {
    const context = new SizeContext(
      node,
      node.inputs.map((x) => (x === '' ? undefined : known.get(x))),
      deal,
    );
    const results = node.opType === 'Constant' ? [constantOf(node, context)] : resultsOf(node, context);
    node.outputs.forEach((name, i) => name !== '' && results[i] && known.set(name, results[i]));
    const [result] = results;
    if (result.values && node.outputs.length === 1)
      initializers.set(node.outputs[0], tensorOf(node.outputs[0], result.dtype, result.dims, result.values));
    else nodes.push(node);
  }
  const infos = new Map([...known].map(([name, { dtype, dims }]) => [name, { dtype, shape: dims }] as const));
  return { graph: { ...graph, nodes, initializers }, infos };
}

function resultsOf(node: Node, context: SizeContext): Sized[] {
  const rules = own(RULES, node.domain);
  const rule = rules && own(rules, node.opType);
  if (!rule) throw context.unknown();
  const results = rule(context);
  const sized = results.map(({ dims, dtype }) => ({ dims, dtype: dtype ?? context.input(0).dtype }));
  if (sized.some(({ dims }) => !dims.every((d) => Number.isInteger(d) && d >= 0))) throw context.unknown();
  const values = valuesOf(node, context, sized[0].dims);
  return values ? [{ ...sized[0], values }] : sized;
}

/** The values that are computed from known values alone; undefined for anything else. */
function valuesOf(node: Node, context: SizeContext, dims: readonly number[]): number[] | undefined {
  const compute = own(KNOWN, node.opType);
  if (!compute || elementCount(dims) > MOST_VALUES) return undefined;
  // Most nodes compute of data: asking first is much faster than an error for each.
  if (!FROM_SIZES.has(node.opType) && !context.isConstant) return undefined;
  try {
    const values = compute(context, dims);
    return values.length === elementCount(dims) && values.every(Number.isFinite) ? values : undefined;
  } catch (e) {
    if (e instanceof UnknownSize) return undefined;
    throw e;
  }
}

const isSmall = (dims: readonly number[]): boolean => elementCount(dims) <= MOST_VALUES;

/** Weights stay in their files. */
function sizedConstant(tensor: Tensor): Sized {
  const { dtype, dims, data } = tensor;
  const readable = !isFileRef(data) && isSmall(dims) && !tensor.strings;
  const numbers = readable && (dims.length < 2 || !isFloat(dtype));
  return { dtype, dims, ...(numbers && { values: tensorNumbers(tensor).map(exact) }) };
}

/** Exporters write the largest int64 for "to the end": the next number would be beyond it. */
const exact = (v: number): number =>
  Number.isInteger(v) ? Math.min(Number.MAX_SAFE_INTEGER, Math.max(-Number.MAX_SAFE_INTEGER, v)) : v;

function constantOf(node: Node, context: SizeContext): Sized {
  const value = node.attributes.get('value');
  if (value?.type !== 'tensor') throw context.unknown();
  return sizedConstant(value.value);
}

/** Sizes of the open axes of the inputs, in turn: of different expressions of them, no two agree in all three. */
const TRIED = [
  [2, 7, 17, 29],
  [3, 11, 19, 31],
  [5, 13, 23, 37],
] as const;

/** The sizes of a graph's inputs at some sizes of their open axes. Undefined if an axis has no name, or too many have one. */
function inputsAt(graph: Graph): ((sizes: readonly number[]) => Map<string, number[]>) | undefined {
  const inputs = graph.inputs.filter(({ name }) => !graph.initializers.has(name));
  const open = openAxes(graph);
  if (open.length > TRIED[0].length || inputs.some((i) => !i.shape || i.shape.includes(undefined)))
    return undefined;
  return (sizes) =>
    new Map(
      inputs.map(
        ({ name, shape }) =>
          [name, shape!.map((d) => (typeof d === 'number' ? d : sizes[open.indexOf(d!)]))] as const,
      ),
    );
}

const openAxes = ({ inputs }: Graph): string[] => [
  ...new Set(inputs.flatMap((i) => i.shape ?? []).filter((d) => typeof d === 'string')),
];

/** Type and size of every tensor at made-up sizes of the open axes. Undefined if a size is known only once the graph runs. */
export function infosAtMadeUpSizes(graph: Graph): FixedGraph['infos'] | undefined {
  return fixedAt(graph, [TRIED.at(-1)!])?.[0];
}

function fixedAt(graph: Graph, tried: readonly (readonly number[])[]): FixedGraph['infos'][] | undefined {
  const sizesOf = inputsAt(graph);
  if (!sizesOf) return undefined;
  try {
    return tried.map((sizes) => fixSizes(graph, sizesOf(sizes)).infos);
  } catch (e) {
    if (e instanceof UnknownSize) return undefined;
    throw e;
  }
}

/** Elements at the last of the sizes above, of which inputs of two axes have 65 rows: about 64 numbers in each. */
const LARGE = 4096;

/**
 * A graph that declares the shapes of its small tensors, with the same name for equal open sizes: ONNX Runtime compares each new
 * tensor with all that are free again, and where it cannot know that two are equal, it takes minutes to open a graph of
 * 50,000 nodes. For each tensor of a known size, it keeps a buffer. Large ones are left to its allocator, which has fewer and
 * finds one that is in the cache: a step of 6 layers × 384 with all linear layers adapted takes 0.95 times the time. An exporter's
 * declarations are replaced. The graph itself if a size is known only once it runs.
 */
export function declareSizes(graph: Graph): Graph {
  const infos = fixedAt(graph, TRIED);
  if (!infos) return graph;
  const inputs = inputsAt(graph)!(TRIED[0]);
  const dealt = dealtAxes(graph, (deal) => fixSizes(graph, inputs, deal).infos);
  const open = openAxes(graph);
  const names = new Map(open.map((name, i) => [TRIED.map((sizes) => sizes[i]).join('|'), name]));
  const declared = graph.nodes.flatMap((n) =>
    n.outputs.flatMap((name) => {
      const [first, ...others] = infos.map((found) => found.get(name));
      if (!first || elementCount(infos.at(-1)!.get(name)!.shape) >= LARGE) return [];
      const shape = first.shape.map((size, axis) => {
        const unknown = dealt?.(name, axis);
        if (unknown !== undefined) return unknown;
        const all = [size, ...others.map((o) => o!.shape[axis])];
        if (all.every((s) => s === size)) return size;
        return names.get(all.join('|')) ?? all.join('|');
      });
      return [valueInfoBytes({ name, dtype: first.dtype, shape })];
    }),
  );
  const others = filterValueInfo(graph, (name) => !infos[0].has(name)) ?? [];
  return { ...graph, unknown: [...others, ...declared] };
}
