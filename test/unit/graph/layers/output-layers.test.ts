import { expect, it } from 'vitest';
import { GraphBuilder } from '../../../../src/graph/builder';
import { DType } from '../../../../src/graph/dtype';
import { findLinearLayers, outputLayers } from '../../../../src/graph/layers/linear';
import { emptyGraph } from '../../autodiff/check';

/** The layers whose output is that of a model that does this after its last one. */
function outputsWith(after: (g: GraphBuilder, product: string) => string): string[] {
  const graph = emptyGraph();
  const g = new GraphBuilder(graph, '');
  const weight = () => g.constant(DType.float, [4, 4], new Array<number>(16).fill(0.5));
  const x = g.addInput('x', DType.float, [1, 4]);
  const inner = g.op('MatMul', [x, weight()], {}, { name: '/inner/MatMul' });
  const product = g.op('MatMul', [g.op('Relu', [inner]), weight()], {}, { name: '/last/MatMul' });
  graph.outputs.push({ name: after(g, product), dtype: DType.float, shape: [1, 4] });
  return outputLayers(graph, findLinearLayers(graph));
}

const number = (g: GraphBuilder, value: number) => g.constant(DType.float, [], [value]);
const vector = (g: GraphBuilder) => g.constant(DType.float, [4], [1, 2, 3, 4]);

it.each<[string, (g: GraphBuilder, product: string) => string, string[]]>([
  ['nothing', (_, x) => x, ['last']],
  ['a bias', (g, x) => g.op('Add', [x, vector(g)]), ['last']],
  ['a division, as in Granite', (g, x) => g.op('Div', [x, number(g, 8)]), ['last']],
  [
    'a cap, as in Gemma 2',
    (g, x) => g.op('Mul', [number(g, 30), g.op('Tanh', [g.op('Div', [x, number(g, 30)])])]),
    ['last'],
  ],
  ['tanh, as in a pooler', (g, x) => g.op('Tanh', [x]), []],
  ['scales of the features', (g, x) => g.op('Mul', [x, vector(g)]), []],
  ['the layer before', (g, x) => g.op('Add', [x, g.op('Relu', [x])]), ['last']],
])('a layer followed by %s', (_, after, wanted) => {
  expect(outputsWith(after)).toEqual(wanted);
});
