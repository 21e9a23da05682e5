import { expect, it } from 'vitest';
import { probe } from '../../../src/engine/onnxruntime/probe';
import { GraphBuilder } from '../../../src/graph/builder';
import { DType } from '../../../src/graph/dtype';
import { withoutLargeProducts } from '../../../src/graph/pieces/halves';
import { emptyGraph, modelOf } from '../autodiff/check';
import { scratchFolder } from '../../scratch';

const folder = scratchFolder('probe-products');

it('a probe computes no product with a large weight, and finds its shape', async () => {
  const graph = emptyGraph();
  const g = new GraphBuilder(graph, '');
  const zeros = (rows: number, columns: number) =>
    g.constant(DType.float, [rows, columns], new Array<number>(rows * columns).fill(0));
  const x = g.addInput('x', DType.float, ['batch', 'sequence', 512]);
  const wide = g.op('MatMul', [x, zeros(512, 600)]);
  const rows = g.op('Reshape', [wide, g.ints([-1, 600])]);
  const narrow = g.op('Gemm', [rows, zeros(520, 600), zeros(1, 520)], { transB: 1 });
  const small = g.op('MatMul', [narrow, zeros(520, 2)]);
  g.addOutput(small);

  const { graph: light } = withoutLargeProducts(graph);
  expect(light.nodes.filter(({ opType }) => ['MatMul', 'Gemm'].includes(opType))).toHaveLength(1);
  const infos = await probe(modelOf(graph), folder);
  const flat = infos.get(rows)!.shape[0];
  expect(infos.get(wide)!.shape).toEqual(['batch', 'sequence', 600]);
  expect(infos.get(narrow)!.shape).toEqual([flat, 520]);
  expect(infos.get(small)!.shape).toEqual([flat, 2]);
});
