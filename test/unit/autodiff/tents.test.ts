import { describe, expect, it } from 'vitest';
import { openSession } from '../../../src/engine/onnxruntime/session';
import type { GraphBuilder } from '../../../src/graph/builder';
import { DType } from '../../../src/graph/dtype';
import { encodeModel } from '../../../src/graph/onnx/encode';
import { differentiated } from './check';

const SCALES = [0.5, 1, -2];
const OFFSETS = [0.25, -1, 0];
/** Centers, edges, and numbers inside and outside of all tents. */
const X = [0, 0.25, -0.25, 0.5, -0.5, 1, -1, 1.5, -1.5, 2.5, -2.5, 3, 40, -40];
const DY = X.flatMap((_, i) => SCALES.map((_, j) => 0.3 + 0.1 * i - 0.7 * j));

interface Form {
  k: number;
  alpha?: number;
  transB?: 0 | 1;
  /** The factor that is an input of the graph. */
  given?: 'scales' | 'offsets';
}

const tents = (g: GraphBuilder, { k, alpha = -1, transB = 0, given }: Form): string => {
  const row = (values: number[]) => g.constant(DType.float, [1, 3], values);
  const scales = given === 'scales' ? given : transB ? g.constant(DType.float, [3, 1], SCALES) : row(SCALES);
  const t = g.op('Gemm', ['x', scales, given === 'offsets' ? given : row(OFFSETS)], transB ? { transB } : {});
  const attributes = { alpha: { float: alpha }, beta: { float: 1 } };
  return g.op('Pow', [g.op('HardSigmoid', [g.op('Abs', [t])], attributes), g.scalar(k, DType.float)]);
};

/** The sum of dy times the slope of max(0, 1 − a·|t|)ᵏ in each column of a row. */
const slopes = (k: number, a: number) =>
  X.map((x, i) =>
    SCALES.reduce((sum, scale, j) => {
      const t = x * scale + OFFSETS[j];
      const height = Math.max(0, 1 - a * Math.abs(t));
      return sum - DY[3 * i + j] * k * height ** (k - 1) * a * Math.sign(t) * scale;
    }, 0),
  );

async function gradient(build: (g: GraphBuilder) => string) {
  const inputs = {
    x: { shape: [X.length, 1], dtype: DType.float },
    scales: { shape: [1, 3], dtype: DType.float },
    offsets: { shape: [1, 3], dtype: DType.float },
  };
  const d = await differentiated({ inputs, open: [], build: (g) => [build(g)] });
  const session = await openSession(encodeModel(d.backward));
  const float = (dims: number[], values: number[]) => ({
    dtype: DType.float,
    dims,
    data: Float32Array.from(values),
  });
  const out = await session.run({
    x: float([X.length, 1], X),
    scales: float([1, 3], SCALES),
    offsets: float([1, 3], OFFSETS),
    [`w ${d.outputs[0]}`]: float([X.length, 3], DY),
  });
  await session.dispose();
  return { dx: Array.from(out[d.gradients.get('x')!].data as Float32Array), nodes: d.backward.graph.nodes };
}

describe('the gradient of a power of max(0, 1 − |t|)', () => {
  it.each<Form & { short: boolean }>([
    { k: 2, short: true },
    { k: 3, short: true },
    { k: 4, short: false },
    { k: 3, alpha: -0.5, short: false },
    { k: 3, transB: 1, short: false },
    { k: 3, given: 'scales', short: false },
    { k: 3, given: 'offsets', short: false },
  ])('is right for %j', async ({ short, ...form }) => {
    const { dx, nodes } = await gradient((g) => tents(g, form));
    slopes(form.k, -(form.alpha ?? -1)).forEach((slope, i) =>
      expect(dx[i], `x = ${X[i]}`).toBeCloseTo(slope, 5),
    );
    // The other forms take the rules of Abs and HardSigmoid, one by one.
    expect(nodes.some((n) => n.opType === 'Where')).toBe(!short);
  });

  it('is added to that of another reader of the tent', async () => {
    const { dx } = await gradient((g) => {
      const cubes = tents(g, { k: 3 });
      const tent = g.graph.nodes.find((n) => n.opType === 'HardSigmoid')!.outputs[0];
      return g.op('Add', [cubes, g.op('Mul', [tent, g.op('Mul', [tent, tent])])]);
    });
    slopes(3, 1).forEach((slope, i) => expect(dx[i], `x = ${X[i]}`).toBeCloseTo(2 * slope, 4));
  });
});
