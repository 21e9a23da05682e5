import fc from 'fast-check';
import type { GraphBuilder } from '../../../src/graph/builder';
import { DType } from '../../../src/graph/dtype';

/**
 * One random case of a property test: a small graph over inputs with axes that are numbers or labels. A label
 * is a fixed size or, if drawn as open, a free dimension that the test runs at sizes that were not probed.
 */
export interface Problem {
  inputs: Record<string, Input>;
  /** Adds the nodes and returns the outputs that the loss weights. */
  build: (g: GraphBuilder) => string[];
  open: readonly string[];
  /** Where gradients may stop; `build` may set it. */
  stop?: readonly string[];
}

export interface Input {
  shape: readonly Axis[];
  /** `distinct`: no two within 0.1; `away`: none within 0.2 of 0. */
  values?: 'any' | 'positive' | 'away' | 'distinct';
  dtype?: number;
  /** Makes integers, drawn from [low, high). */
  range?: readonly [number, number];
  /** If true, no gradient is requested. Integers never get one. */
  frozen?: boolean;
}

export type Axis = number | string;
export type Case = fc.Arbitrary<Problem>;

/** The sizes of the labels: fixed ones as probed, open ones in each of the two runs. */
export const FIXED: Record<string, number> = { a: 2, b: 3, c: 4, d: 5 };
export const OPEN: Record<string, number>[] = [
  { a: 3, b: 2, c: 5, d: 4 },
  { a: 1, b: 4, c: 2, d: 3 },
];

const LABELS = ['a', 'b', 'c', 'd'];

export const openLabels: fc.Arbitrary<string[]> = fc.subarray(LABELS);

/** A shape with a rank in this range, over distinct labels. */
export const shape = (minRank: number, maxRank: number): fc.Arbitrary<string[]> =>
  fc.shuffledSubarray(LABELS, { minLength: minRank, maxLength: maxRank });

/** A shape that broadcasts to `full`: without some leading axes, and with size 1 on some others. */
export const broadcastTo = (full: readonly Axis[]): fc.Arbitrary<Axis[]> =>
  fc
    .tuple(fc.nat(full.length), fc.array(fc.boolean(), { minLength: full.length, maxLength: full.length }))
    .map(([drop, ones]) => full.map((axis, i) => (ones[i] ? 1 : axis)).slice(drop));

/** Two shapes that broadcast to rank 1 to 3; either may be the smaller one. */
export const broadcastPair: fc.Arbitrary<[Axis[], Axis[]]> = shape(0, 3).chain((full) =>
  fc.tuple(broadcastTo(full), broadcastTo(full)),
);

/** An axis of a shape, counted from either end. */
export const axisOf = (rank: number): fc.Arbitrary<number> => fc.integer({ min: -rank, max: rank - 1 });

/** Some axes of a shape, in any order, counted from either end. */
export const axesOf = (rank: number, minLength = 1): fc.Arbitrary<number[]> =>
  fc
    .tuple(
      fc.shuffledSubarray([...Array(rank).keys()], { minLength }),
      fc.array(fc.boolean(), { minLength: rank, maxLength: rank }),
    )
    .map(([axes, negative]) => axes.map((a) => (negative[a] ? a - rank : a)));

/** Cases with one input x and the nodes that `build` adds. */
export const unary = (
  build: (g: GraphBuilder, x: string, shape: string[]) => string | string[],
  values: Input['values'] = 'any',
  minRank = 1,
): Case =>
  fc.record({ dims: shape(minRank, 3), open: openLabels }).map(({ dims, open }) => ({
    inputs: { x: { shape: dims, values } },
    build: (g) => [build(g, 'x', dims)].flat(),
    open,
  }));

export const double = (g: GraphBuilder, value: number): string => g.scalar(value, DType.double);
