import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unfuse } from '../../../../src/graph/unfuse/unfuse';
import { input, model, node, runModel } from '../onnx-models';
import { DType } from '../../../../src/graph/dtype';
import { check, floats, fused, largestDifference, type Call, type Fed } from './kernel';

const small = (max: number) => fc.integer({ min: 1, max });
const plainOf = (call: Call) => {
  const { model: original, feeds } = fused(call);
  const plain = unfuse(original);
  expect(plain.graph.nodes.map((n) => n.domain).join('')).toBe('');
  return runModel(plain, feeds);
};
const largest = (want: number[], got: ArrayLike<number>) => {
  expect(got.length).toBe(want.length);
  return Math.max(...want.map((v, i) => Math.abs(v - got[i]!)));
};

/** Group normalization of (batch, height, width, channels) by its formula. */
function normalized(x: number[], dims: number[], groups: number, gamma: number[], beta: number[]) {
  const [batch, height, width, channels] = dims as [number, number, number, number];
  const size = channels / groups;
  const groupAt = (i: number) =>
    Math.floor(i / (height * width * channels)) * groups + Math.floor((i % channels) / size);
  const count = height * width * size;
  const mean = new Array<number>(batch * groups).fill(0);
  x.forEach((v, i) => (mean[groupAt(i)]! += v / count));
  const variance = mean.map(() => 0);
  x.forEach((v, i) => (variance[groupAt(i)]! += (v - mean[groupAt(i)]!) ** 2 / count));
  return x.map(
    (v, i) =>
      ((v - mean[groupAt(i)]!) / Math.sqrt(variance[groupAt(i)]! + 1e-3)) * gamma[i % channels]! +
      beta[i % channels]!,
  );
}
const silu = (v: number) => v / (1 + Math.exp(-v));

describe('operators of fused diffusion models, by their documented formulas (the CPU has no kernels)', () => {
  const images = fc.record({
    batch: small(2),
    side: small(3),
    groups: small(3),
    size: small(3),
    activation: fc.nat(1),
    seed: fc.nat(99),
  });
  const parts = (channels: number, seed: number) => [
    floats([channels], seed + 1, { constant: true }),
    floats([channels], seed + 2, { constant: true }),
  ];

  it('GroupNorm, channels last and first', () =>
    check(
      fc.tuple(images, fc.boolean()),
      async ([{ batch, side, groups, size, activation, seed }, last]) => {
        const channels = groups * size;
        const dims = [batch, side, side + 1, channels];
        const x = floats(dims, seed);
        const [gamma, beta] = parts(channels, seed) as [Fed, Fed];
        const attributes = {
          activation,
          groups,
          epsilon: { float: 1e-3 },
          channels_last: last ? undefined : 0,
        };
        const area = side * (side + 1);
        const first = x.values.map((_, i) => {
          const [place, channel] = [i % area, Math.floor(i / area) % channels];
          return x.values[Math.floor(i / (area * channels)) * area * channels + place * channels + channel]!;
        });
        const fed = last ? x : { dims: [batch, channels, side, side + 1], values: first };
        const { y } = await plainOf({ op: 'GroupNorm', inputs: { x: fed, gamma, beta }, attributes });
        expect(y!.dims).toEqual(fed.dims);
        const want = normalized(x.values, dims, groups, gamma.values, beta.values);
        const active = activation ? want.map(silu) : want;
        const got = active.map((_, i) => {
          if (last) return Number(y!.data[i]);
          const [channel, place] = [i % channels, Math.floor(i / channels) % area];
          return Number(
            y!.data[Math.floor(i / (area * channels)) * area * channels + channel * area + place],
          );
        });
        expect(largest(active, got)).toBeLessThan(1e-5);
      },
      15,
    ));

  it('SkipGroupNorm with each form of its skip, and the sum', () =>
    check(
      fc.tuple(images, fc.constantFrom('image', 'pixel', 'row'), fc.boolean()),
      async ([{ batch, side, groups, size, activation, seed }, form, biased]) => {
        const channels = groups * size;
        const dims = [batch, side, side, channels];
        const skipDims = { image: dims, pixel: [batch, 1, 1, channels], row: [batch, channels] }[form];
        const [x, skip] = [floats(dims, seed), floats(skipDims, seed + 3)];
        const [gamma, beta] = parts(channels, seed) as [Fed, Fed];
        const bias = biased ? floats([channels], seed + 4, { constant: true }) : undefined;
        const { y, sum } = await plainOf({
          op: 'SkipGroupNorm',
          inputs: { x, gamma, beta, skip, bias },
          attributes: { activation, groups, epsilon: { float: 1e-3 } },
          outputs: ['y', 'sum'],
        });
        const one = side * side * channels;
        const wanted = x.values.map((v, i) => {
          const at = form === 'image' ? i : Math.floor(i / one) * channels + (i % channels);
          return v + skip.values[at]! + (bias?.values[i % channels] ?? 0);
        });
        expect(largest(wanted, sum!.data as Float32Array)).toBeLessThan(1e-6);
        const want = normalized(wanted, dims, groups, gamma.values, beta.values);
        expect(largest(activation ? want.map(silu) : want, y!.data as Float32Array)).toBeLessThan(1e-5);
      },
      15,
    ));

  it('BiasSplitGelu and BiasAdd', async () => {
    const [x, bias] = [floats([2, 3, 8], 1, { size: 3 }), floats([8], 2, { constant: true })];
    const { y } = await plainOf({ op: 'BiasSplitGelu', inputs: { x, bias } });
    const sums = { ...x, values: x.values.map((v, i) => v + bias.values[i % 8]!) };
    const split = model({
      opset: 20,
      inputs: [input('x', DType.float, [2, 3, 8])],
      nodes: [
        node('Split', ['x'], ['first', 'second'], { axis: 2, num_outputs: 2 }),
        node('Gelu', ['second'], ['gate']),
        node('Mul', ['first', 'gate'], ['y']),
      ],
      outputs: ['y'],
    });
    const halves = await runModel(split, {
      x: { dims: sums.dims, dtype: DType.float, data: Float32Array.from(sums.values) },
    });
    expect(largestDifference(halves, { y: y! })).toBeLessThan(1e-6);
    const skip = floats([2, 3, 8], 3);
    const { y: added } = await plainOf({ op: 'BiasAdd', inputs: { x, bias, skip } });
    const want = sums.values.map((v, i) => v + skip.values[i]!);
    expect(largest(want, added!.data as Float32Array)).toBeLessThan(1e-6);
  });

  it('NhwcConv as a Conv of the turned image and weight', async () => {
    const attributes = {
      group: 2,
      kernel_shape: [2, 3],
      pads: [1, 0, 0, 2],
      strides: [2, 1],
      dilations: [1, 2],
    };
    const [x, w] = [floats([2, 5, 6, 4], 1), floats([6, 2, 3, 2], 2, { constant: true })];
    const b = floats([6], 3, { constant: true });
    const plain = await plainOf({ op: 'NhwcConv', inputs: { x, w, b }, attributes });
    const { model: original, feeds } = fused({ op: 'NhwcConv', inputs: { x, w, b }, attributes });
    original.graph.nodes = [
      node('Transpose', ['x'], ['image'], { perm: [0, 3, 1, 2] }),
      node('Transpose', ['w'], ['kernel'], { perm: [0, 3, 1, 2] }),
      node('Conv', ['image', 'kernel', 'b'], ['made'], attributes),
      node('Transpose', ['made'], ['y'], { perm: [0, 2, 3, 1] }),
    ];
    expect(largestDifference(await runModel(original, feeds), plain)).toBeLessThan(1e-6);
  });
});
