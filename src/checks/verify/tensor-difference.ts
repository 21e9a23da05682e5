import { openForward } from '../../engine/open-task';
import type { EvaluatorOptions } from '../../engine/stepper';
import { DType, isFloat } from '../../graph/dtype';
import { scopeOf } from '../../graph/layers/module-path';
import type { Model, Node } from '../../graph/model';
import { fromHalf } from '../../graph/number-formats';
import type { HostTensor, HostTensors } from '../../graph/tensor-infos';
import type { VerifyKinks, VerifyTensor } from '../../protocol/verification';

export interface Difference {
  /** Largest |b − a| over the unit; NaN if the shapes differ, or a number is finite on only one side. */
  error: number;
  /** Flat index of the worst element. */
  at: number;
  values: [number, number];
}

type Numbers = ArrayLike<number | bigint>;

/**
 * The largest difference between two arrays. Infinities and NaNs that are the same on both sides are equal: masks
 * consist of them.
 *
 * @param unit of the difference; the largest finite magnitude of `a` by default
 */
export function difference(a: Numbers, b: Numbers, unit = largest(a)): Difference {
  if (a.length !== b.length) return { error: NaN, at: 0, values: [NaN, NaN] };
  let worst = { error: 0, at: 0 };
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [Number(a[i]), Number(b[i])];
    if (Object.is(x, y) || x === y) continue;
    const error = Math.abs(y - x);
    if (!Number.isFinite(error)) return { error: NaN, at: i, values: [x, y] };
    if (error > worst.error) worst = { error, at: i };
  }
  const values: [number, number] = [Number(a[worst.at]), Number(b[worst.at])];
  return { error: worst.error === 0 ? 0 : worst.error / unit, at: worst.at, values };
}

/** Between two tensors. Integers and bools have no tolerance: any difference counts fully. */
function tensorDifference(a: HostTensor, b: HostTensor): Difference {
  if (a.dims.join() !== b.dims.join()) return { error: NaN, at: 0, values: [NaN, NaN] };
  return isFloat(a.dtype) ? difference(numbers(a), numbers(b)) : difference(a.data, b.data, 1);
}

const numbers = (t: HostTensor): Numbers =>
  t.dtype === DType.float16 ? Float32Array.from(t.data as Uint16Array, fromHalf) : t.data;

export function largest(values: Numbers): number {
  let max = 0;
  for (let i = 0; i < values.length; i++) {
    const v = Math.abs(Number(values[i]));
    if (v > max && v !== Infinity) max = v;
  }
  return max;
}

/** Position along each axis of an element counted in row-major order. */
export function positionOf(at: number, dims: readonly number[]): number[] {
  const out: number[] = [];
  let rest = at;
  for (const d of [...dims].reverse()) {
    out.unshift(d ? rest % d : 0);
    rest = Math.floor(rest / d);
  }
  return out;
}

/** Number of tensors to output at a time: all at once would need more memory than a training step. */
const AT_ONCE = 200;

/** Rounding errors grow along the graph and where large numbers cancel out. */
const TOLERANCE = 1e-3;

/** The forward graph of a side, and its device. */
interface ForwardSide extends EvaluatorOptions {
  model: Model;
}

/**
 * The first tensor in graph order that differs between two sides; undefined if none does.
 *
 * @param feeds inputs, labels, masks and trainable tensors
 * @param folder for the graphs; the caller removes it
 */
export async function firstDifference(
  sides: readonly [ForwardSide, ForwardSide],
  feeds: HostTensors,
  folder: string,
): Promise<VerifyTensor | undefined> {
  const made = sides[0].model.graph.nodes.flatMap((node) =>
    node.outputs.filter((y) => y !== '').map((y) => ({ node, y })),
  );
  for (let from = 0; from < made.length; from += AT_ONCE) {
    const part = made.slice(from, from + AT_ONCE);
    const names = part.map(({ y }) => y);
    const [a, b] = [
      await tensorsOf(sides[0], names, feeds, folder),
      await tensorsOf(sides[1], names, feeds, folder),
    ];
    for (const { node, y } of part) {
      const found = tensorDifference(a[y], b[y]);
      if (!(found.error <= TOLERANCE)) return described(node, y, a[y].dims, found);
    }
  }
  return undefined;
}

/** Intermediate tensors of a side's forward graph. */
async function tensorsOf(
  side: ForwardSide,
  names: string[],
  feeds: HostTensors,
  folder: string,
): Promise<HostTensors> {
  const forward = await openForward(side.model, names, folder, side);
  try {
    return await forward.run(feeds);
  } finally {
    await forward.dispose();
  }
}

function described(
  node: Node,
  tensor: string,
  dims: number[],
  found: ReturnType<typeof tensorDifference>,
): VerifyTensor {
  return {
    stage: 'forward',
    tensor,
    operator: node.domain ? `${node.domain}.${node.opType}` : node.opType,
    node: node.name || tensor,
    module: scopeOf(node),
    dims: [...dims],
    position: positionOf(found.at, dims),
    both: [String(found.values[0]), String(found.values[1])],
    error: Number.isFinite(found.error) ? found.error : null,
  };
}

/** Operators whose gradient jumps at 0. */
const KINKED: ReadonlySet<string> = new Set(['Relu', 'LeakyRelu', 'PRelu', 'Abs']);

/** Number of these operators' inputs to output at a time. */
const KINKS_AT_ONCE = 8;

export interface Kinks {
  /** Values above 0 on one side only. */
  values: number;
  operators: Set<string>;
  /** Batch positions of the texts that contain them. */
  texts: Set<number>;
}

/**
 * Finds values so near the kink of an operator that rounding decides which side of it they are on. If the two sides
 * round them differently, their gradients rightly differ.
 *
 * @param feeds inputs, labels, masks and trainable tensors
 * @param examples in the batch, which is each tensor's first axis, or the slower part of it
 * @param folder for the graphs; the caller removes it
 */
export async function findKinks(
  sides: readonly [ForwardSide, ForwardSide],
  feeds: HostTensors,
  examples: number,
  folder: string,
): Promise<Kinks> {
  const { nodes } = sides[0].model.graph;
  const computed = new Set(nodes.flatMap((n) => n.outputs));
  const kinked = nodes.filter((n) => KINKED.has(n.opType) && computed.has(n.inputs[0]));
  const found: Kinks = { values: 0, operators: new Set(), texts: new Set() };
  for (let from = 0; from < kinked.length; from += KINKS_AT_ONCE) {
    const part = kinked.slice(from, from + KINKS_AT_ONCE);
    const names = [...new Set(part.map((n) => n.inputs[0]))];
    const [a, b] = [
      await tensorsOf(sides[0], names, feeds, folder),
      await tensorsOf(sides[1], names, feeds, folder),
    ];
    for (const { opType, inputs } of part) {
      const [x, y] = [a[inputs[0]], b[inputs[0]]];
      const each = x.data.length / examples;
      for (let i = 0; i < x.data.length; i++) {
        if (x.data[i] > 0 === y.data[i] > 0) continue;
        found.values++;
        found.operators.add(opType);
        if (x.dims[0] % examples === 0) found.texts.add(Math.floor(i / each));
      }
    }
  }
  return found;
}

/** For several rounds; undefined if there are none. */
export function kinksLine(rounds: readonly Kinks[], of: number): VerifyKinks | undefined {
  const texts = new Set(rounds.flatMap((k) => [...k.texts]));
  if (texts.size === 0) return undefined;
  return {
    kind: 'kinks',
    values: rounds.reduce((n, k) => n + k.values, 0),
    operators: [...new Set(rounds.flatMap((k) => [...k.operators]))],
    texts: [...texts].sort((a, b) => a - b),
    of,
  };
}

/** A batch without some of its texts. */
export function without(inputs: HostTensors, texts: readonly number[], of: number): HostTensors {
  const keep = [...Array(of).keys()].filter((i) => !texts.includes(i));
  return Object.fromEntries(
    Object.entries(inputs).map(([name, t]) => {
      if (t.dims[0] !== of) return [name, t];
      const each = t.data.length / of;
      // A copy of the same type, with the remaining rows moved up.
      const data = t.data.slice(0, keep.length * each);
      keep.forEach((from, to) =>
        data.set(t.data.subarray(from * each, (from + 1) * each) as never, to * each),
      );
      return [name, { ...t, dims: [keep.length, ...t.dims.slice(1)], data }];
    }),
  );
}
