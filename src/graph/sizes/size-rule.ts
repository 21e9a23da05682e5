import { attrInt } from '../attributes';
import { DType } from '../dtype';
import type { Node } from '../model';
import { type Deal, evenly } from './dealt-axes';

/** A tensor of which only type and sizes are known and, of small constants, the values. */
export interface Sized {
  dtype: number;
  dims: number[];
  values?: number[];
}

/** The reason why the sizes of a tensor cannot be known before it is computed. */
export class UnknownSize extends Error {}

/** A rule's queries about one node. */
export class SizeContext {
  constructor(
    readonly node: Node,
    private readonly inputs: readonly (Sized | undefined)[],
    private readonly deal: Deal = evenly,
  ) {}

  has(i: number): boolean {
    return this.inputs[i] !== undefined;
  }

  input(i: number): Sized {
    const input = this.inputs[i];
    if (!input) throw this.unknown();
    return input;
  }

  dims(i: number): number[] {
    return this.input(i).dims;
  }

  get count(): number {
    return this.inputs.length;
  }

  /** The values of a small constant. */
  ints(i: number): number[] {
    const { values } = this.input(i);
    if (!values) throw this.unknown();
    return values;
  }

  /** The sizes of the parts of an axis: the values of an input, or made-up ones if only data decide them. */
  parts(i: number, total: number, parts: number): number[] {
    return this.input(i).values ?? this.deal(this.node.inputs[i], total, parts);
  }

  /** True if the values of all inputs are known. */
  get isConstant(): boolean {
    return this.inputs.every((input, i) => this.node.inputs[i] === '' || input?.values !== undefined);
  }

  /** An axis counted from the front. */
  axis(otherwise: number, rank = this.dims(0).length): number {
    const axis = attrInt(this.node, 'axis', otherwise);
    return axis < 0 ? axis + rank : axis;
  }

  unknown(): UnknownSize {
    const { opType, domain, name, outputs } = this.node;
    return new UnknownSize(`${domain ? `${domain}.` : ''}${opType} (node "${name || outputs[0]}")`);
  }
}

/** The sizes of a node's outputs, in order; types are those of the first input unless given. */
export type SizeRule = (c: SizeContext) => { dims: number[]; dtype?: number }[];

export const like =
  (dtype?: number): SizeRule =>
  (c) => [{ dims: c.dims(0), dtype }];

/** NumPy's broadcasting of all inputs from the given one. */
export const broadcast =
  (dtype?: number, from = 0): SizeRule =>
  (c) => {
    const shapes = Array.from({ length: c.count }, (_, i) => c.dims(i));
    return [{ dims: broadcastDims(shapes), dtype: dtype ?? c.input(from).dtype }];
  };

export function broadcastDims(shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(0, ...shapes.map((s) => s.length));
  return Array.from({ length: rank }, (_, axis) =>
    shapes.map((s) => s[axis - rank + s.length] ?? 1).reduce((a, b) => (a === 1 ? b : a)),
  );
}

export const BOOL = DType.bool;
export const INT64 = DType.int64;
