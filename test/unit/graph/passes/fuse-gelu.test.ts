import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../../../src/graph/builder';
import { DType } from '../../../../src/graph/dtype';
import type { Model } from '../../../../src/graph/model';
import { encodeModel } from '../../../../src/graph/onnx/encode';
import { fuseGelu } from '../../../../src/graph/passes/fuse-gelu';
import { difference, host, input, model, runModel } from '../onnx-models';

type Build = (g: GraphBuilder, x: string) => string;

/** w·f(x) + x, so that the pattern is surrounded by other nodes. */
function around(build: Build, dtype: number = DType.float): Model {
  const m = model({ opset: 20, inputs: [input('x', dtype, [2, 7])], nodes: [], outputs: [] });
  const g = new GraphBuilder(m.graph, '/t');
  const middle = build(g, g.op('Mul', ['x', g.scalar(1.5, dtype)]));
  g.addOutput(g.op('Add', [g.op('Neg', [middle]), 'x']));
  return m;
}

const float = (g: GraphBuilder, v: number) => g.scalar(v, DType.float);
const erf = (g: GraphBuilder, x: string) => g.op('Erf', [g.op('Div', [x, float(g, Math.SQRT2)])]);
const erfByMul = (g: GraphBuilder, x: string) => g.op('Erf', [g.op('Mul', [float(g, Math.SQRT1_2), x])]);
const plusOne = (g: GraphBuilder, e: string) => g.op('Add', [e, float(g, 1)]);

const FORMS: Record<string, Build> = {
  'torch.onnx.export: (x·(erf(x/√2) + 1))·½': (g, x) =>
    g.op('Mul', [g.op('Mul', [x, plusOne(g, erf(g, x))]), float(g, 0.5)]),
  '(x·½)·(1 + erf(x·√½))': (g, x) =>
    g.op('Mul', [g.op('Mul', [x, float(g, 0.5)]), g.op('Add', [float(g, 1), erfByMul(g, x)])]),
  'x·(½·(erf(x/√2) + 1))': (g, x) => g.op('Mul', [x, g.op('Mul', [float(g, 0.5), plusOne(g, erf(g, x))])]),
  '(erf(x/√2) + 1)·x/2': (g, x) => g.op('Div', [g.op('Mul', [plusOne(g, erf(g, x)), x]), float(g, 2)]),
  '(erf(x/√2) + 1)·(x/2), constants with one axis': (g, x) => {
    const one = (v: number) => g.constant(DType.float, [1], [v]);
    const e = g.op('Erf', [g.op('Div', [x, one(Math.SQRT2)])]);
    return g.op('Mul', [g.op('Add', [e, one(1)]), g.op('Div', [x, one(2)])]);
  },
};

const VALUES = [-40, -6, -3.2, -1, -0.75, -0.3, -1e-5, 0, 1e-4, 0.2, 0.5, 1, 2.5, 30];

describe('fuseGelu', () => {
  for (const [name, build] of Object.entries(FORMS))
    it(`fuses ${name}`, async () => {
      const before = around(build);
      const bytes = encodeModel(before);
      const fused = fuseGelu(before);
      expect(Buffer.compare(encodeModel(before), bytes), 'the original was changed').toBe(0);
      expect(fused.graph.nodes.map((n) => n.opType)).toEqual(['Mul', 'Gelu', 'Neg', 'Add']);
      const feeds = { x: host([2, 7], VALUES) };
      const want = await runModel(before, feeds);
      expect(difference(want, await runModel(fused, feeds), 1e-6, 1e-6)).toBeUndefined();
    });

  const LEFT: Record<string, Build> = {
    'a different scale inside erf': (g, x) =>
      g.op('Mul', [
        g.op('Mul', [x, plusOne(g, g.op('Erf', [g.op('Div', [x, float(g, 1.5)])]))]),
        float(g, 0.5),
      ]),
    'a constant other than 1': (g, x) =>
      g.op('Mul', [g.op('Mul', [x, g.op('Add', [erf(g, x), float(g, 2)])]), float(g, 0.5)]),
    'a factor other than ½': (g, x) => g.op('Mul', [g.op('Mul', [x, plusOne(g, erf(g, x))]), float(g, 0.25)]),
    'a factor that is not x': (g, x) =>
      g.op('Mul', [g.op('Mul', [g.op('Abs', [x]), plusOne(g, erf(g, x))]), float(g, 0.5)]),
    '½ divided by the rest': (g, x) => g.op('Div', [float(g, 0.5), g.op('Mul', [x, plusOne(g, erf(g, x))])]),
    'an intermediate with another reader': (g, x) => {
      const e = erf(g, x);
      return g.op('Add', [g.op('Mul', [g.op('Mul', [x, plusOne(g, e)]), float(g, 0.5)]), e]);
    },
    'an intermediate that is an output': (g, x) => {
      const p = plusOne(g, erf(g, x));
      g.addOutput(p);
      return g.op('Mul', [g.op('Mul', [x, p]), float(g, 0.5)]);
    },
  };
  for (const [name, build] of Object.entries(LEFT))
    it(`does not fuse ${name}`, () => {
      const m = around(build);
      expect(fuseGelu(m).graph.nodes).toEqual(m.graph.nodes);
    });

  it('does not fuse float64, for which there is no kernel', () => {
    const double = (g: GraphBuilder, v: number) => g.scalar(v, DType.double);
    const m = around((g, x) => {
      const e = g.op('Erf', [g.op('Div', [x, double(g, Math.SQRT2)])]);
      return g.op('Mul', [g.op('Mul', [x, g.op('Add', [e, double(g, 1)])]), double(g, 0.5)]);
    }, DType.double);
    expect(fuseGelu(m).graph.nodes).toEqual(m.graph.nodes);
  });
});
