import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { probe } from '../../../../src/engine/onnxruntime/probe';
import { differentiate } from '../../../../src/graph/autodiff/differentiate';
import { GraphBuilder } from '../../../../src/graph/builder';
import { DType } from '../../../../src/graph/dtype';
import type { HostTensors } from '../../../../src/graph/tensor-infos';
import { findLinearLayers } from '../../../../src/graph/layers/linear';
import { elementCount, type Model } from '../../../../src/graph/model';
import { joinDynamic } from '../../../../src/graph/quantized/dynamic-quantization';
import { host, runModel } from '../onnx-models';
import { emptyGraph, modelOf } from '../../autodiff/check';
import { check, floats, largestDifference } from './kernel';

interface Case {
  /** The input's axes before its features. */
  rows: number[];
  ins: number;
  outs: number;
  signed: boolean;
  /** The scale and zero point of the weight: one for all, in two forms, or one for each output. */
  scale: 'scalar' | 'one' | 'each';
  zero: boolean;
  bias: boolean;
  seed: number;
}

const small = (max: number) => fc.integer({ min: 1, max });
const cases: fc.Arbitrary<Case> = fc.record({
  rows: fc.array(small(3), { minLength: 1, maxLength: 2 }),
  ins: small(40),
  outs: small(9),
  signed: fc.boolean(),
  scale: fc.constantFrom('scalar', 'one', 'each'),
  zero: fc.boolean(),
  bias: fc.boolean(),
  seed: fc.nat(999),
});

/** A layer as ONNX Runtime's optimizer leaves it after dynamic quantization: x to y. */
function layer({ rows, ins, outs, signed, scale, zero, bias, seed }: Case): Model {
  const graph = emptyGraph();
  const g = new GraphBuilder(graph, '');
  const dims = [...rows.map((_, i) => `rows ${i}`), ins];
  const [q, step, middle] = g.ops(
    'DynamicQuantizeLinear',
    [g.addInput('x', DType.float, dims)],
    {},
    { outputs: 3 },
  );
  const type = signed ? DType.int8 : DType.uint8;
  const integers = (of: number[], more: number, size: number) =>
    g.constant(
      type,
      of,
      floats(of, seed + more, { size }).values.map((v) => Math.round(signed ? v : v + size)),
    );
  const each = { scalar: [], one: [1], each: [outs] }[scale];
  const steps = floats(each, seed + 1).values.map((v) => 0.01 * (v + 1.5));
  const inputs = [
    q!,
    integers([ins, outs], 2, 127),
    step!,
    g.constant(DType.float, each, steps),
    middle!,
    zero ? integers(each, 3, 20) : '',
    bias ? g.constant(DType.float, [outs], floats([outs], seed + 4).values) : '',
  ];
  g.op(
    'MatMulIntegerToFloat',
    inputs,
    {},
    { domain: 'com.microsoft', name: '/query/MatMul_quant', outputs: ['y'] },
  );
  graph.outputs.push({ name: 'y', dtype: DType.float, shape: undefined });
  const opsets = new Map([['', 21], ['com.microsoft', 1]]); // prettier-ignore
  return { ...modelOf(graph), opsets };
}

/** The gradient of Σ y · dy. */
async function gradient(of: Model, feeds: HostTensors): Promise<ArrayLike<number>> {
  const graph = { ...of.graph, nodes: [...of.graph.nodes], inputs: [...of.graph.inputs] };
  const infos = await probe(of);
  new GraphBuilder(graph, '/test').addInput('dy', DType.float, infos.get('y')!.shape);
  const dx = differentiate(graph, infos, new Map([['y', 'dy']]), ['x']).get('x')!;
  graph.outputs = [{ name: dx, dtype: DType.float, shape: undefined }];
  return (await runModel({ ...of, graph }, feeds))[dx]!.data as Float32Array;
}

describe('MatMulIntegerToFloat of an input that was rounded for it', () => {
  it("equals ONNX Runtime's kernel, and passes on the gradient of its dequantized weight", () =>
    check(cases, async (c) => {
      const original = layer(c);
      const joined = joinDynamic(original);
      expect(joined.graph.nodes.map((n) => n.opType)).toEqual(['DynamicQuantizeMatMul']);
      const [x, dy] = [floats([...c.rows, c.ins], c.seed + 5), floats([...c.rows, c.outs], c.seed + 6)];
      const feeds = { x: host(x.dims, x.values) };
      expect(largestDifference(await runModel(original, feeds), await runModel(joined, feeds))).toBeLessThan(
        1e-5,
      );

      const [found] = findLinearLayers(joined.graph);
      expect(found).toMatchObject({ path: 'query', inFeatures: c.ins, outFeatures: c.outs, hasBias: c.bias });
      const weight = found!.dequantize!();
      const dx = await gradient(joined, { ...feeds, dy: host(dy.dims, dy.values) });
      const wanted = Array.from({ length: elementCount(x.dims) }, (_, at) => {
        const [row, i] = [Math.floor(at / c.ins), at % c.ins];
        return Array.from(
          { length: c.outs },
          (_, o) => dy.values[row * c.outs + o]! * weight[o * c.ins + i]!,
        ).reduce((a, b) => a + b);
      });
      wanted.forEach((v, i) => expect(dx[i]).toBeCloseTo(v, 4));
    }));
});
