import { resolve } from 'node:path';
import { GraphBuilder } from '../src/graph/builder';
import { DType } from '../src/graph/dtype';
import { loadModel } from '../src/graph/file/load';
import { saveModel } from '../src/graph/file/save';
import { tensorOf } from '../src/graph/values';

/**
 * Writes the fixtures' BERT with a second output, as Transformers exports it: tanh(pooler.dense(first
 * token)).
 */
export function writeTwoOutputs(path: string): void {
  const model = loadModel(resolve('test/fixtures/reference/bert.onnx'));
  const { graph } = model;
  const [hidden] = graph.outputs;
  const size = hidden.shape!.at(-1) as number;
  const g = new GraphBuilder(graph, '/pooler');
  const weight = Array.from({ length: size * size }, (_, i) => Math.sin(i) / size);
  g.addInitializer(tensorOf('pooler.dense.weight', DType.float, [size, size], weight));
  g.addInitializer(tensorOf('pooler.dense.bias', DType.float, [size], new Array<number>(size).fill(0)));
  const slice = g.op('Slice', [hidden.name, g.ints([0]), g.ints([1]), g.ints([1])]);
  const first = g.op('Squeeze', [slice, g.ints([1])]);
  const dense = g.op(
    'Gemm',
    [first, 'pooler.dense.weight', 'pooler.dense.bias'],
    { transB: 1 },
    { name: '/pooler/dense/Gemm' },
  );
  g.op('Tanh', [dense], {}, { name: '/pooler/activation/Tanh', outputs: ['pooler_output'] });
  graph.outputs.push({ name: 'pooler_output', dtype: DType.float, shape: [hidden.shape![0], size] });
  saveModel(model, path);
}
