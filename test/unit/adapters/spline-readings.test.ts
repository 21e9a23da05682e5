import { describe, expect, it } from 'vitest';
import { anl, anlNodes, type AnlSpec } from '../../../src/adapters/methods/anl';
import { methodOf } from '../../../src/adapters/methods/registry';
import { splineDims } from '../../../src/adapters/methods/spline';
import { selectLayers } from '../../../src/adapters/targets/select';
import { openSession } from '../../../src/engine/onnxruntime/session';
import { SPLINE_READINGS, type SplineReading } from '../../../src/experiment/methods';
import { GraphBuilder } from '../../../src/graph/builder';
import { DType } from '../../../src/graph/dtype';
import { elementCount } from '../../../src/graph/model';
import { encodeModel } from '../../../src/graph/onnx/encode';
import { checkGradients, emptyGraph, generator, modelOf, symmetric } from '../autodiff/check';
import { auroraSpec } from '../specs';

const RANK = 3;
const specOf = (spline: SplineReading, splineOrder: number): AnlSpec => ({
  gridSize: 4,
  splineOrder,
  gridRange: [-1, 1.5],
  activation: 'tanh',
  fixed: false,
  learnable: true,
  spline,
});
const CASES = SPLINE_READINGS.flatMap((spline) => [1, 2, 3].map((order) => [spline, order] as const));

/** Cox–de Boor's recursion at x, for G + k bases on uniform knots. */
function bases({ gridSize, splineOrder, gridRange: [low, high] }: AnlSpec, x: number): number[] {
  const step = (high - low) / gridSize;
  const knot = (i: number) => low + (i - splineOrder) * step;
  const basis = (i: number, k: number): number => {
    if (k === 0) return knot(i) <= x && x < knot(i + 1) ? 1 : 0;
    const left = (x - knot(i)) / (k * step);
    const right = (knot(i + k + 1) - x) / (k * step);
    return left * basis(i, k - 1) + right * basis(i + 1, k - 1);
  };
  return Array.from({ length: gridSize + splineOrder }, (_, i) => basis(i, splineOrder));
}

/** L(z) as the three formulas state it. */
function formula(spec: AnlSpec, z: readonly number[], W: ArrayLike<number>): number[] {
  const n = spec.gridSize + spec.splineOrder;
  const b = z.map((v) => bases(spec, v));
  const dot = (weights: number, values: readonly number[]) =>
    values.reduce((sum, v, i) => sum + W[weights + i] * v, 0);
  return z.map((_, o) => {
    if (spec.spline === 'per-dimension') return dot(o * n, b[o]);
    if (spec.spline === 'per-pair')
      return b.reduce((sum, values, j) => sum + dot((o * RANK + j) * n, values), 0);
    return b.reduce((sum, values) => sum + dot(o * n, values), 0);
  });
}

function drawn(spec: AnlSpec, rows: number) {
  const random = generator(7);
  const draws = (n: number, scale: number) => Array.from({ length: n }, () => scale * symmetric(random));
  const z = Array.from({ length: rows }, () => draws(RANK, 3));
  return { z, W: draws(elementCount(splineDims(spec, RANK)), 1) };
}

describe.each(CASES)('the spline %s of order %i', (spline, order) => {
  const spec = specOf(spline, order);
  const dims = splineDims(spec, RANK);

  it('is its formula on the host', () => {
    const { z, W } = drawn(spec, 40);
    for (const row of z)
      anl(row, [], W, spec).forEach((v, o) => expect(v).toBeCloseTo(formula(spec, row, W)[o], 12));
  });

  it.each([RANK, undefined])('is its formula in a graph, also of an open rank (%s)', async (rank) => {
    const { z, W } = drawn(spec, 40);
    const graph = emptyGraph();
    const g = new GraphBuilder(graph, '');
    g.addInput('z', DType.double, ['tokens', rank ?? 'rank']);
    g.addInput('W', DType.double, rank === undefined ? dims.map((_, i) => `w${i}`) : dims);
    g.addOutput(anlNodes(g, 'z', '', 'W', spec, DType.double, rank));
    const session = await openSession(encodeModel(modelOf(graph)));
    const tensor = (shape: number[], data: number[]) => ({
      dtype: DType.double,
      dims: shape,
      data: Float64Array.from(data),
    });
    const out = await session.run({ z: tensor([z.length, RANK], z.flat()), W: tensor(dims, W) });
    await session.dispose();
    const found = Object.values(out)[0];
    expect(found.dims).toEqual([z.length, RANK]);
    z.flatMap((row) => formula(spec, row, W)).forEach((v, i) =>
      expect(Number(found.data[i]), `${i}`).toBeCloseTo(v, 12),
    );
  });

  it.each([RANK, undefined])('has the gradients of finite differences (rank %s)', (rank) =>
    checkGradients(
      {
        inputs: { z: { shape: ['a', 'b', RANK] }, H: { shape: [RANK, RANK] }, W: { shape: dims } },
        build: (g) => [anlNodes(g, 'z', 'H', 'W', { ...spec, fixed: true }, DType.double, rank)],
        open: ['a'],
      },
      order,
    ),
  );
});

it('differs between the readings', () => {
  const { z, W } = drawn(specOf('per-pair', 3), 1);
  const of = SPLINE_READINGS.map((spline) => [...anl(z[0], [], W, specOf(spline, 3))].join());
  expect(new Set(of).size).toBe(SPLINE_READINGS.length);
});

describe.each(SPLINE_READINGS)('an adapter with the spline %s', (spline) => {
  const layer = { path: 'query', inFeatures: 12, outFeatures: 7, hasBias: true };
  const spec = auroraSpec({ spline, rank: RANK, targetModules: ['query'] });
  const [adapter] = selectLayers([layer], { outputs: [], unreached: [] }, spec).adapters;

  it('has W in the shape that its count and its formula state', () => {
    const { dims } = adapter.tensors.find((t) => t.name === 'W')!;
    expect(dims).toEqual(spline === 'per-pair' ? [3, 3, 8] : [3, 8]);
    const total = adapter.tensors.reduce((n, t) => n + elementCount(t.dims), 0);
    expect(total).toBe(3 * 19 + 9 + elementCount(dims));
    expect(methodOf(spec).formula(spec)).toBe(
      `r(in + out) + r² + ${spline === 'per-pair' ? 'r²' : 'r'}(5 + 3)`,
    );
    expect(methodOf(spec).flops(adapter).forward).toBe(2 * total);
  });

  it('is merged as its static form computes', async () => {
    const random = generator(3);
    const drawnValues = (n: number) => Float32Array.from({ length: n }, () => symmetric(random));
    const values = Object.fromEntries(
      adapter.tensors.map(({ name, dims }) => [name, drawnValues(elementCount(dims))]),
    );
    const graph = emptyGraph();
    const g = new GraphBuilder(graph, '');
    g.addInput('x', DType.float, ['tokens', 12]);
    const names: Record<string, string> = {};
    for (const { name, dims } of adapter.tensors) {
      names[name] = name;
      g.addInput(name, DType.float, dims);
    }
    const call = { x: 'x', product: () => '', weight: () => '', weightTimes: () => '', alpha: 1 };
    const { delta } = methodOf(spec).delta!(g, call, names, adapter, DType.float, 'static')!;
    g.addOutput(delta);
    const session = await openSession(encodeModel(modelOf(graph)));
    const x = drawnValues(5 * 12);
    const feeds = Object.fromEntries(
      adapter.tensors.map(({ name, dims }) => [name, { dtype: DType.float, dims, data: values[name] }]),
    );
    const out = await session.run({ x: { dtype: DType.float, dims: [5, 12], data: x }, ...feeds });
    await session.dispose();
    const unused = () => new Float32Array();
    const change = methodOf(spec).change(values, adapter, { weight: unused, bias: unused }).weight!;
    const found = out[delta].data as Float32Array;
    expect(Math.max(...found.map(Math.abs))).toBeGreaterThan(1);
    for (let n = 0; n < 5; n++)
      for (let o = 0; o < 7; o++) {
        let sum = 0;
        for (let i = 0; i < 12; i++) sum += x[n * 12 + i] * change[o * 12 + i];
        expect(Math.abs(found[n * 7 + o] - sum)).toBeLessThan(1e-4);
      }
  });
});
