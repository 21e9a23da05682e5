import { expect, it } from 'vitest';
import { GraphBuilder } from '../../../src/graph/builder';
import { Declared } from '../../../src/graph/declared';
import { DType } from '../../../src/graph/dtype';
import { declareSizes } from '../../../src/graph/sizes/sizes';
import { emptyGraph } from '../autodiff/check';

it('equal open sizes are declared under one name, that of the input where it is one', () => {
  const graph = emptyGraph();
  const g = new GraphBuilder(graph, '');
  g.addInput('x', DType.float, ['batch', 'sequence', 8]);
  g.op('Reshape', ['x', g.ints([-1, 8])], {}, { outputs: ['flat'] });
  g.op('Reshape', ['x', g.ints([-1, 4])], {}, { outputs: ['twice'] });
  g.op(
    'Gemm',
    ['flat', g.constant(DType.float, [8, 2], new Array<number>(16).fill(1))],
    {},
    { outputs: ['y'] },
  );
  g.op('Transpose', ['x'], { perm: [1, 0, 2] }, { outputs: ['t'] });
  for (const name of ['twice', 'y', 't']) g.addOutput(name);
  const declared = new Declared(declareSizes(graph));
  const shape = (name: string) => declared.shape(name);
  expect(shape('t')).toEqual(['sequence', 'batch', 8]);
  expect(shape('y')).toEqual([shape('flat')![0], 2]);
  expect(shape('twice')![0]).not.toEqual(shape('flat')![0]);
  expect(declared.dtype('y')).toBe(DType.float);
});

it('large tensors are left to the allocator', () => {
  const graph = emptyGraph();
  const g = new GraphBuilder(graph, '');
  g.addInput('x', DType.float, ['batch', 'sequence', 384]);
  g.op('Relu', ['x'], {}, { outputs: ['wide'] });
  g.op('ReduceMean', ['wide', g.ints([-1])], { keepdims: 1 }, { outputs: ['narrow'] });
  g.addOutput('narrow');
  const declared = new Declared(declareSizes(graph));
  expect(declared.shape('wide')).toBeUndefined();
  expect(declared.shape('narrow')).toEqual(['batch', 'sequence', 1]);
});

it('a graph with a size that only a run knows stays as it is', () => {
  const graph = emptyGraph();
  const g = new GraphBuilder(graph, '');
  g.op('NonZero', [g.addInput('x', DType.float, ['batch'])], {}, { outputs: ['y'] });
  g.addOutput('y');
  expect(declareSizes(graph)).toBe(graph);
});

it('the products of a step in int8 have sizes', () => {
  const graph = emptyGraph();
  const g = new GraphBuilder(graph, '');
  g.addInput('x', DType.float, ['batch', 'sequence', 3]);
  g.addInput('scale', DType.float, ['batch', 'sequence', 1]);
  const zero = g.scalar(128, DType.uint8);
  const zeros = g.op('Expand', [zero, g.op('Shape', ['scale'])]);
  const rows = g.op('QuantizeLinear', ['x', 'scale', zeros], { axis: -1, block_size: 3 });
  const weight = g.constant(DType.int8, [3, 2], [1, 2, 3, 4, 5, 6]);
  const factors = [rows, weight, g.scalar(1, DType.float), g.constant(DType.float, [2], [1, 1]), zero];
  g.op('MatMulIntegerToFloat', factors, {}, { outputs: ['y'], domain: 'com.microsoft' });
  g.addOutput('y');
  const declared = new Declared(declareSizes(graph));
  expect([declared.shape('y'), declared.dtype('y')]).toEqual([['batch', 'sequence', 2], DType.float]);
});
