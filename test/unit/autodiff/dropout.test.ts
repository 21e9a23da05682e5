import { expect, it } from 'vitest';
import { openSession } from '../../../src/engine/onnxruntime/session';
import { DType } from '../../../src/graph/dtype';
import { encodeModel } from '../../../src/graph/onnx/encode';
import { differentiated } from './check';

const run = async (training: 'constant' | boolean, dtype: number, ratio: number | undefined) => {
  const d = await differentiated({
    inputs: {
      x: { shape: [200] },
      train: { shape: [], dtype: DType.bool },
    },
    build: (g) => {
      const on = training === 'constant' ? g.constant(DType.bool, [], [1]) : 'train';
      return [g.op('Dropout', ['x', ratio === undefined ? '' : g.scalar(ratio, dtype), on])];
    },
    open: [],
  });
  const session = await openSession(encodeModel(d.backward));
  const values = (f: (i: number) => number) => Float64Array.from({ length: 200 }, (_, i) => f(i));
  const x = values((i) => 1 + i);
  const w = values((i) => Math.cos(i));
  const vector = (data: Float64Array) => ({ dtype: DType.double, dims: [200], data });
  const results = await session.run({
    x: vector(x),
    [`w ${d.outputs[0]}`]: vector(w),
    train: { dtype: DType.bool, dims: [], data: Uint8Array.of(training ? 1 : 0) },
  });
  await session.dispose();
  const y = results[d.outputs[0]].data as Float64Array;
  const dx = results[d.gradients.get('x')!].data as Float64Array;
  return { slope: y.map((v, i) => v / x[i]), w, dx };
};

// The mask is redrawn in each run, so the test derives it from the output: y = slope·x.
it.each([
  ['constant', DType.double, 0.3],
  ['constant', DType.float, 0.25],
  ['constant', DType.double, undefined],
  [true, DType.double, 0.3],
  [false, DType.double, 0.3],
] as const)(
  'dropout matches its gradient: training %s, ratio of type %s: %s',
  async (training, dtype, ratio) => {
    const { slope, w, dx } = await run(training, dtype, ratio);
    const scale = training ? 1 / (1 - (ratio ?? 0.5)) : 1;
    const dropped = slope.filter((s) => s === 0).length;
    expect(dropped).toEqual(training ? expect.closeTo(200 * (ratio ?? 0.5), -2) : 0);
    slope.forEach((s, i) => {
      expect(s === 0 ? scale : s).toBeCloseTo(scale, 6);
      expect(dx[i]).toBeCloseTo(w[i] * s, 6);
    });
  },
);
