import { describe, expect, it } from 'vitest';
import { probe } from '../../../src/engine/onnxruntime/probe';
import { Declared } from '../../../src/graph/declared';
import { loadModel } from '../../../src/graph/file/load';
import { DType } from '../../../src/graph/dtype';
import { prepareModel } from '../../../src/graph/prepare';
import { graph, input, node } from './onnx-models';

/** Without the shapes that the exporter declared inside the graph. */
const bare = (path: string) => {
  const { graph, ...rest } = prepareModel(loadModel(path));
  return { ...rest, graph: { ...graph, unknown: undefined } };
};

describe('numbers of axes are found without running the model', () => {
  it.each([
    'bert',
    'bert-opset13',
    'llama',
    'vit',
    'more/gpt2',
    'more/t5',
    'more/swin',
    'more/deberta',
    'more/conformer',
  ])('in %s', async (name) => {
    const model = bare(`test/fixtures/reference/${name}.onnx`);
    const infos = await probe(model);
    const declared = new Declared(model.graph);
    const outputs = model.graph.nodes.flatMap((node) => {
      declared.follow(node);
      return node.outputs.filter((y) => y !== '');
    });
    const found = outputs.filter((y) => declared.rank(y) !== undefined);
    expect(found.length / outputs.length).toBeGreaterThan(0.95);
    for (const y of found) expect([y, declared.rank(y)]).toEqual([y, infos.get(y)!.shape.length]);
  });

  it('through attention, whose cache has other axes, and through Einsum', () => {
    const nodes = [
      node('Attention', ['x', 'x', 'x'], ['a', 'present'], { q_num_heads: 2, kv_num_heads: 2 }),
      node('MultiHeadAttention', ['a', 'a', 'a'], ['b'], { num_heads: 2 }, 'com.microsoft'),
      node('Einsum', ['b', 'b'], ['c'], { equation: 'bsd,btd -> bst' }),
      node('Add', ['c', 'x'], ['d']),
    ];
    const sketch = graph({ inputs: [input('x', DType.float, ['b', 's', 8])], nodes, outputs: ['d'] });
    const declared = new Declared(sketch);
    nodes.forEach((n) => declared.follow(n));
    expect(['a', 'present', 'b', 'c', 'd'].map((y) => declared.rank(y))).toEqual([3, undefined, 3, 3, 3]);
  });
});
