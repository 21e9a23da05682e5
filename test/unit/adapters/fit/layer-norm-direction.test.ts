import { describe, expect, it } from 'vitest';
import { layerNormDirections } from '../../../../src/adapters/fit/layer-norm-direction';
import { GraphBuilder } from '../../../../src/graph/builder';
import { DType } from '../../../../src/graph/dtype';
import type { Graph } from '../../../../src/graph/model';
import { emptyGraph } from '../../autodiff/check';

const SCALE = [2, -1, 0.5, 4];
const SHIFT = [0.1, 0.2, -0.3, 0.4];

function graphOf(build: (g: GraphBuilder, scale: string, shift: string) => string): [Graph, string] {
  const graph = emptyGraph();
  const g = new GraphBuilder(graph, '/test');
  const x = build(g, g.constant(DType.float, [4], SCALE), g.constant(DType.float, [4], SHIFT));
  return [graph, x];
}

/** γ∘n + β of numbers n that sum to zero. */
const output = [1, -3, 0.5, 1.5].map((n, i) => n * SCALE[i] + SHIFT[i]);

function product([graph, x]: [Graph, string]): number | undefined {
  return layerNormDirections(graph)(x, 4)?.reduce((sum, v, i) => sum + v * output[i], 0);
}

const norm = (g: GraphBuilder, scale: string, shift: string) =>
  g.op('LayerNormalization', ['x', scale, shift], { axis: -1 });

describe('layerNormDirections', () => {
  it('reads one operator, or a product and a sum', () => {
    expect(product(graphOf(norm))).toBeCloseTo(1, 5);
    for (const turned of [false, true]) {
      const inputs = (a: string, b: string) => (turned ? [b, a] : [a, b]);
      const parts = graphOf((g, scale, shift) => g.op('Add', inputs(g.op('Mul', inputs('n', scale)), shift)));
      expect(product(parts)).toBeCloseTo(1, 5);
    }
  });

  it('looks through nodes that keep the features of a token', () => {
    const pooled = graphOf((g, scale, shift) =>
      g.op('Identity', [g.op('Gather', [norm(g, scale, shift), g.scalar(0, DType.int64)], { axis: 1 })]),
    );
    expect(product(pooled)).toBeCloseTo(1, 5);
  });

  it('has none where there is no shift, another operator comes after, or a scale is zero', () => {
    expect(product(graphOf((g, scale) => g.op('LayerNormalization', ['x', scale], { axis: -1 })))).toBe(
      undefined,
    );
    expect(product(graphOf((g, scale, shift) => g.op('Gelu', [norm(g, scale, shift)])))).toBe(undefined);
    const zero = graphOf((g, _, shift) => norm(g, g.constant(DType.float, [4], [1, 0, 1, 1]), shift));
    expect(product(zero)).toBe(undefined);
    expect(product([emptyGraph(), 'x'])).toBe(undefined);
  });
});
