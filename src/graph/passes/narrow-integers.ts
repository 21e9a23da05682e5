import { attrInt } from '../attributes';
import { GraphBuilder } from '../builder';
import { Declared, filterValueInfo } from '../declared';
import { DType } from '../dtype';
import type { Graph, Model, Node } from '../model';
import { tensorValues } from '../values';
import { own } from '../../base/names';

const COMPARISONS = new Set(['Equal', 'Less', 'LessOrEqual', 'Greater', 'GreaterOrEqual']);

/** The inputs of an operator that share a type with its result, or with each other if the result is a bool. */
const SAME: Record<string, number[] | 'all'> = {
  ...each(['Add', 'Sub', 'Mul', 'Div', 'Min', 'Max', 'Concat', 'Clip'], 'all'),
  ...each([...COMPARISONS], 'all'),
  ...each(['Unsqueeze', 'Squeeze', 'Reshape', 'Flatten', 'Expand', 'Slice', 'Transpose', 'Identity'], [0]),
  ...each(
    ['Gather', 'GatherND', 'Split', 'Tile', 'Trilu', 'CumSum', 'ReduceSum', 'ReduceMax', 'ReduceMin'],
    [0],
  ),
  Where: [1, 2],
  ScatterElements: [0, 2],
};

/** The inputs of an operator that may be int32 or int64 without changing its result. */
const EITHER: Record<string, number[]> = {
  ...each(['Cast', 'Shape', 'Size', 'ArgMax', 'ArgMin'], [0]),
  ...each(['Gather', 'GatherElements', 'ScatterElements'], [1]),
};

const INT32_MAX = 2n ** 31n - 1n;

function each<T>(ops: string[], value: T): Record<string, T> {
  return Object.fromEntries(ops.map((op) => [op, value]));
}

/**
 * A copy of a model whose int64 inputs, and everything computed from them, are int32: token ids, masks and labels fit,
 * and GPUs have no kernels for wider integers. Where an operator takes only int64, a cast converts back. Values
 * computed from shapes stay int64.
 *
 * A model with If, Loop or Scan is unchanged, since their bodies read tensors by name.
 */
export function narrowIntegers(model: Model): Model {
  const { graph } = model;
  const hasBody = (n: Node) => [...n.attributes.values()].some((a) => a.type === 'graph');
  if (graph.nodes.some(hasBody)) return model;
  const given = new Set(graph.outputs.map((o) => o.name));
  const narrow = new Set(
    graph.inputs
      .filter((i) => i.dtype === DType.int64 && !graph.initializers.has(i.name) && !given.has(i.name))
      .map((i) => i.name),
  );
  if (narrow.size === 0) return model;

  const inputs = graph.inputs.map((i) =>
    narrow.has(i.name) ? { ...i, dtype: DType.int32, raw: undefined } : i,
  );
  const copy: Graph = { ...graph, inputs, initializers: new Map(graph.initializers), nodes: [] };
  const pass = new Narrowing(
    copy,
    new GraphBuilder({ ...copy, nodes: graph.nodes }, '/narrow', copy.nodes),
    narrow,
  );
  const declared = new Declared(graph);
  for (const node of graph.nodes) {
    declared.follow(node);
    pass.node(node, declared, given);
  }
  copy.unknown = filterValueInfo(graph, (name) => !narrow.has(name));
  return { ...model, graph: copy };
}

class Narrowing {
  private readonly casts = new Map<string, string>();

  constructor(
    private readonly graph: Graph,
    private readonly g: GraphBuilder,
    private readonly narrow: Set<string>,
  ) {}

  node(node: Node, declared: Declared, given: ReadonlySet<string>): void {
    const standard = node.domain === '';
    const all = standard ? own(SAME, node.opType) : undefined;
    const same = all === 'all' ? node.inputs.map((_, i) => i) : (all ?? []);
    const types = same.filter((i) => node.inputs[i]);
    const kept = node.outputs.some((y) => given.has(y));
    const narrowed = !kept && types.some((i) => this.narrow.has(node.inputs[i]));
    const either = standard ? (own(EITHER, node.opType) ?? []) : [];
    const inputs = node.inputs.map((x, i) => {
      if (narrowed && types.includes(i)) return this.narrow.has(x) ? x : this.toInt32(x);
      return this.narrow.has(x) && !either.includes(i) ? this.cast(x, DType.int64) : x;
    });
    if (narrowed && !COMPARISONS.has(node.opType)) node.outputs.forEach((y) => this.narrow.add(y));
    const ids = !kept && this.isCastOfSmall(node, declared);
    if (ids) this.narrow.add(node.outputs[0]);
    if (narrowed && node.opType === 'Slice') return this.slice(node, inputs);
    const attributes = ids
      ? new Map([['to', { type: 'int' as const, value: DType.int32 }]])
      : node.attributes;
    this.graph.nodes.push({ ...node, inputs, attributes });
  }

  /** The WebGPU provider slices only floats; they represent all integers up to 2²⁴, and no vocabulary is that large. */
  private slice(node: Node, [x, ...bounds]: string[]): void {
    const floats = this.g.op('Slice', [this.g.op('Cast', [x], { to: DType.float }), ...bounds]);
    this.g.op('Cast', [floats], { to: DType.int32 }, { outputs: node.outputs, name: node.name });
  }

  /** A Cast to int64 of a value that fits in an int32. */
  private isCastOfSmall(node: Node, declared: Declared): boolean {
    if (node.opType !== 'Cast' || node.domain !== '' || attrInt(node, 'to') !== DType.int64) return false;
    const [x] = node.inputs;
    return this.narrow.has(x) || declared.dtype(x) === DType.int32 || declared.dtype(x) === DType.bool;
  }

  /** Constants are rewritten, with an open end such as 2⁶³ − 1 clamped to int32's. */
  private toInt32(x: string): string {
    const t = this.graph.initializers.get(x);
    if (!t) return this.cast(x, DType.int32);
    const clamp = (v: bigint) => Number(v > INT32_MAX ? INT32_MAX : v < -INT32_MAX ? -INT32_MAX : v);
    return this.g.constant(DType.int32, t.dims, Array.from(tensorValues(t) as BigInt64Array, clamp));
  }

  private cast(x: string, to: number): string {
    const key = `${x}:${to}`;
    const known = this.casts.get(key) ?? this.g.op('Cast', [x], { to });
    this.casts.set(key, known);
    return known;
  }
}
