import { parameterCount } from '../../../src/adapters/stored-tensors';
import { describe, expect, it } from 'vitest';
import { boft } from '../../../src/adapters/methods/boft';
import { ia3 } from '../../../src/adapters/methods/ia3';
import type { LayerValues } from '../../../src/adapters/methods/method';
import { miss } from '../../../src/adapters/methods/miss';
import { nearestDivisor, oft } from '../../../src/adapters/methods/oft';
import { cayley, cayleyOf } from '../../../src/adapters/methods/rotations';
import { selectLayers } from '../../../src/adapters/targets/select';
import type { BoftSpec, MethodName, MissSpec, OftSpec, TrainedSpec } from '../../../src/experiment/methods';
import { defaultAdapter } from '../../../src/recipes/draft';
import { openSession } from '../../../src/engine/onnxruntime/session';
import { GraphBuilder } from '../../../src/graph/builder';
import { DType } from '../../../src/graph/dtype';
import { encodeModel } from '../../../src/graph/onnx/encode';
import { emptyGraph, modelOf } from '../autodiff/check';
import { onLayer } from '../specs';

const specOf = <S extends TrainedSpec>(method: MethodName, over: object = {}): S =>
  ({ ...defaultAdapter(method), targetModules: 'all-linear', ...over }) as S;

const layer = (path: string, inFeatures: number, outFeatures: number) => ({
  path,
  inFeatures,
  outFeatures,
  hasBias: true,
});

const countOn = (spec: TrainedSpec, layers: ReturnType<typeof layer>[]): number =>
  parameterCount(selectLayers(layers, { outputs: [], unreached: [] }, spec).adapters);

describe('parameter counts', () => {
  const both = [layer('l.value', 768, 768), layer('l.output.dense', 3072, 768)];
  it.each<[MethodName, object, number]>([
    ['ia3', {}, 768 + 3072],
    ['ia3', { feedforwardModules: [] }, 2 * 768],
    ['ia3', { feedforwardModules: '.*\\.value' }, 768 + 768],
    ['miss', { rank: 16 }, 2 * 16 * 768],
    ['miss', { rank: 16, initWeights: 'bat' }, 2 * 48 * 16 * 16],
    ['miss', { rank: 16, initWeights: 'mini', miniR: 8 }, 2 * 16 * 8],
    ['oft', {}, (24 + 96) * 496],
    ['oft', { blockShare: true }, 2 * 496],
    ['oft', { blockNum: 96 }, 96 * 28 + 96 * 496],
    ['boft', {}, 4 * (768 + 3072) + 2 * 768],
    ['boft', { blockSize: 8, nButterflyFactor: 3 }, 3 * 8 * (768 + 3072) + 2 * 768],
    ['boft', { blockNum: 48 }, 768 * 16 + 3072 * 64 + 2 * 768],
  ])('%s %o: %i', (method, over, expected) => {
    expect(countOn(specOf(method, over), both)).toBe(expected);
  });
});

describe('sizes that do not fit', () => {
  const odd = [layer('l.odd', 30, 20)];
  it.each<[MethodName, object, RegExp]>([
    [
      'miss',
      { rank: 4, initWeights: 'bat' },
      /adapter\.rank 4 does not divide both sizes of l\.odd \(20 × 30\)/,
    ],
    ['miss', { initWeights: 'mini', miniR: 3 }, /adapter\.miniR 3 does not divide the 20 outputs of l\.odd/],
    ['boft', { blockSize: 4 }, /adapter\.blockSize 4 does not fit l\.odd .*it must divide its 30 inputs/],
    ['boft', { blockNum: 7 }, /adapter\.blockNum 7 does not fit l\.odd/],
    ['boft', { blockSize: 5, nButterflyFactor: 2 }, /blocks must be even, and 2 of them must divide its 30/],
    ['boft', { blockSize: 2, nButterflyFactor: 2 }, /with adapter\.nButterflyFactor 2/],
    ['oft', { blockNum: 30 }, /adapter\.blockNum 30 leaves blocks of one input in l\.odd/],
  ])('%s %o is refused', (method, over, message) => {
    expect(() => countOn(specOf(method, over), odd)).toThrow(message);
  });

  it('OFT moves a block size to the nearest divisor, as PEFT does', () => {
    const all: [number, number, number][] = [
      [24, 32, 24],
      [24, 5, 4],
      [24, 7, 6],
      [24, 10, 8],
      [24, 11, 12],
      [768, 100, 96],
      [7, 2, 1],
    ];
    for (const [n, wanted, expected] of all) expect(nearestDivisor(n, wanted)).toBe(expected);
  });
});

/** Some values that repeat nowhere. */
const wave = (size: number, factor: number): Float32Array =>
  Float32Array.from({ length: size }, (_, i) => factor * Math.sin(1.7 * i + 0.3));

const baseOf = (inFeatures: number, outFeatures: number): LayerValues => ({
  weight: () => wave(inFeatures * outFeatures, 1),
  bias: () => wave(outFeatures, 1),
});

/** W Wᵀ of rows, which no rotation of the inputs changes. */
function gram(weight: ArrayLike<number>, inFeatures: number): number[] {
  const out = weight.length / inFeatures;
  return Array.from({ length: out * out }, (_, at) => {
    let sum = 0;
    for (let i = 0; i < inFeatures; i++)
      sum += weight[Math.floor(at / out) * inFeatures + i] * weight[(at % out) * inFeatures + i];
    return sum;
  });
}

const farthest = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(...Array.from(a, (v, i) => Math.abs(v - b[i])));

describe('rotations keep the products of rows', () => {
  const changed = (spec: OftSpec | BoftSpec, size: number) => {
    const on = onLayer(spec, 24, 5);
    const base = baseOf(24, 5);
    const method = spec.method === 'oft' ? oft : boft;
    const values = Object.fromEntries(
      method.tensors(on as never).map((t) => [
        t.name,
        t.name === 's'
          ? new Float32Array(5).fill(1)
          : wave(
              t.dims.reduce((a, b) => a * b, 1),
              size,
            ),
      ]),
    );
    const { weight } = method.change(values, on as never, base);
    const before = base.weight();
    const after = Float64Array.from(weight!, (v, i) => v + before[i]);
    return {
      moved: farthest(weight!, new Float64Array(weight!.length)),
      off: farthest(gram(after, 24), gram(before, 24)),
    };
  };

  it.each<[MethodName, object]>([
    ['oft', { blockSize: 6, useCayleyNeumann: false }],
    ['oft', { blockSize: 24, useCayleyNeumann: false }],
    ['oft', { blockNum: 8, blockShare: true, useCayleyNeumann: false }],
    ['boft', { blockSize: 4 }],
    ['boft', { blockSize: 4, nButterflyFactor: 2 }],
    ['boft', { blockSize: 6, nButterflyFactor: 3 }],
  ])('%s %o', (method, over) => {
    const { moved, off } = changed(specOf(method, over), 3);
    expect(moved).toBeGreaterThan(0.5);
    expect(off).toBeLessThan(1e-10);
  });

  it('nearly with a series, more closely with two more terms', () => {
    const offs = [2, 4, 6, 8].map(
      (numCayleyNeumannTerms) =>
        changed(specOf<OftSpec>('oft', { blockSize: 6, numCayleyNeumannTerms }), 0.1).off,
    );
    expect([...offs].sort((a, b) => b - a)).toEqual(offs);
    expect(offs[3]).toBeLessThan(offs[0] / 100);
  });
});

it('the Cayley transform of one angle is the rotation by twice its arc tangent', () => {
  const t = 0.7;
  const D = cayleyOf(Float64Array.of(0, t, -t, 0), 2);
  const angle = 2 * Math.atan(t);
  expect(D[0] + 1).toBeCloseTo(Math.cos(angle), 12);
  expect(D[1]).toBeCloseTo(-Math.sin(angle), 12);
});

it.each([0.01, 1, 30, 480])('the transform in a graph is that of elimination, at norm %f', async (norm) => {
  const size = 6;
  const draws = wave(size * size, 1);
  const S = Float64Array.from(draws, (v, i) => v - draws[(i % size) * size + Math.floor(i / size)]);
  const factor = norm / Math.hypot(...S);
  const scaled = Float32Array.from(S, (v) => v * factor);
  const graph = emptyGraph();
  const g = new GraphBuilder(graph, '');
  g.addInput('S', DType.float, [1, size, size]);
  const { turn } = cayley(g, 'S', size, DType.float);
  g.addOutput(turn);
  const session = await openSession(encodeModel(modelOf(graph)));
  const feeds = { S: { dtype: DType.float, dims: [1, size, size], data: scaled } };
  const { data } = (await session.run(feeds))[turn];
  const wanted = cayleyOf(Float64Array.from(scaled), size);
  expect(farthest(data as Float32Array, wanted)).toBeLessThan(norm > 100 ? 1e-2 : 1e-4);
});

it('constrained OFT scales blocks above its limit to it, and leaves others', () => {
  const on = onLayer(specOf<OftSpec>('oft', { blockSize: 2, coft: true, eps: 1 }), 4, 3);
  const names = { R: 'R' };
  const parameters = new Map([['R', Float32Array.of(0.4, 3)]]);
  const course = oft.course!([{ on, names }], 10)!;
  course.begin!(parameters);
  // Two blocks: ‖S‖ = √2 · |r| is at most 1 / √2.
  expect(parameters.get('R')![0]).toBeCloseTo(0.4, 6);
  expect(parameters.get('R')![1]).toBeCloseTo(0.5, 6);
  expect(oft.course!([{ on: { ...on, spec: { ...on.spec, coft: false } }, names }], 10)).toBeUndefined();
});

it('constrained OFT leaves what it has scaled, to the bit, as a resumed run does', () => {
  const spec = specOf<OftSpec>('oft', { blockSize: 3, coft: true, eps: 0.37 });
  const course = oft.course!([{ on: onLayer(spec, 3000, 3), names: { R: 'R' } }], 10)!;
  const R = wave(3000, 1);
  course.stepped!(1, new Map([['R', R]]), new Map());
  expect(Math.max(...R.map(Math.abs))).toBeLessThan(0.37);
  const before = R.slice();
  course.begin!(new Map([['R', R]]));
  expect(R).toEqual(before);
});

it('(IA)³ scales the bias where it scales outputs', () => {
  const spec = specOf<Extract<TrainedSpec, { method: 'ia3' }>>('ia3');
  const on = { ...onLayer(spec, 3, 2), layer: layer('l.value', 3, 2) };
  const { weight, bias } = ia3.change({ l: Float32Array.of(3, 1) }, on, baseOf(3, 2));
  const W = wave(6, 1);
  expect(farthest(weight!, [2 * W[0], 2 * W[1], 2 * W[2], 0, 0, 0])).toBe(0);
  expect(farthest(bias!, [2 * wave(2, 1)[0], 0])).toBe(0);
  const inputs = { ...on, layer: layer('l.output.dense', 3, 2) };
  expect(ia3.change({ l: Float32Array.of(1, 1, 2) }, inputs, baseOf(3, 2)).bias).toBeUndefined();
});

it('MiSS repeats its numbers along the inputs, and in mini along the outputs', () => {
  const M = Float32Array.of(1, 2, 3, 4);
  const on = onLayer(specOf<MissSpec>('miss', { rank: 2, initWeights: 'mini', miniR: 2 }), 5, 4);
  const { weight } = miss.change({ M }, on, baseOf(5, 4));
  expect([...weight!]).toEqual([1, 3, 1, 3, 1, 2, 4, 2, 4, 2, 1, 3, 1, 3, 1, 2, 4, 2, 4, 2]);
});

describe('settings as PEFT writes them', () => {
  const reader = (config: Record<string, unknown>) => ({
    number: (key: string, otherwise?: number) => (config[key] ?? otherwise) as number,
    flag: (key: string, otherwise: boolean) => (config[key] ?? otherwise) as boolean,
    value: (key: string) => config[key] ?? undefined,
  });
  it.each<[MethodName, object]>([
    ['ia3', { feedforwardModules: 'a.*' }],
    ['miss', { rank: 3, initWeights: 'mini', miniR: 4, dropout: 0.5 }],
    ['miss', { rank: 64, initWeights: 'bat' }],
    ['oft', { blockNum: 6, blockShare: true, coft: true, eps: 0.5, useCayleyNeumann: false }],
    ['oft', { blockSize: 16, numCayleyNeumannTerms: 7 }],
    ['boft', { blockNum: 4, nButterflyFactor: 2 }],
    ['boft', { blockSize: 8 }],
  ])('%s %o are read again', (method, over) => {
    const of = { ia3, miss, oft, boft }[method as 'oft'];
    const spec = specOf<OftSpec>(method, over);
    const own = Object.fromEntries(Object.entries(spec).filter(([key]) => key !== 'targetModules'));
    const config = { ...of.peft.write(spec, 'dynamic'), ...('rank' in spec && { r: spec.rank }) };
    expect(of.peft.read(reader(config))).toEqual(own);
  });
});
