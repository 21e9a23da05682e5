import { own } from '../../base/names';
import { isFloat } from '../dtype';
import type { TensorInfo } from '../infos';
import { elementCount, isFileRef, type Graph, type Node, type Tensor } from '../model';
import { tensorNumbers, tensorOf } from '../values';
import { elementwise } from './elementwise';
import { products, quantizedProducts } from './products';
import { SizeContext, UnknownSize, type Sized, type SizeRule } from './rule';
import { FROM_SIZES, KNOWN, MOST_VALUES } from './values';
import { views } from './views';

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
 * @throws UnknownSize that names the first operator whose result cannot be known
 */
export function fixSizes(graph: Graph, inputs: ReadonlyMap<string, number[]>): FixedGraph {
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
