import { describe, expect, it } from 'vitest';
import { DType } from '../../../../src/graph/dtype';
import { prepareModel } from '../../../../src/graph/prepare';
import { tensorOf } from '../../../../src/graph/values';
import { emptyPast } from '../../../../src/training/measure';
import { difference, host, input, model, node, runModel } from '../onnx-models';

const numbers = (count: number, by: number) => Array.from({ length: count }, (_, i) => Math.sin(i * by));
const constant = (name: string, dims: number[], by: number) =>
  tensorOf(
    name,
    DType.float,
    dims,
    numbers(
      dims.reduce((a, b) => a * b),
      by,
    ),
  );

/** A decoder of one layer, in the form of ONNX Runtime's own GPT-2 exports. */
const decoder = (past = ['past_0'], reader = node('Identity', ['mixed'], ['logits'])) =>
  model({
    opset: 17,
    domains: { 'com.microsoft': 1 },
    inputs: [
      input('input_ids', DType.int64, ['batch', 'sequence']),
      input('attention_mask', DType.int32, ['batch', 'total']),
      ...past.map((name) => input(name, DType.float, [2, 'batch', 2, 'past', 3])),
    ],
    initializers: [constant('words', [9, 6], 1), constant('packed', [6, 18], 2), constant('biases', [18], 3)],
    nodes: [
      node('Gather', ['words', 'input_ids'], ['x']),
      node(
        'Attention',
        ['x', 'packed', 'biases', 'attention_mask', past[0]!],
        ['mixed', 'present_0'],
        { num_heads: 2, unidirectional: 1 },
        'com.microsoft',
      ),
      reader,
    ],
    outputs: ['logits', 'present_0'],
  });

describe('a cache of keys and values in one tensor', () => {
  it('is taken away: the numbers are those with an empty one', async () => {
    const original = decoder();
    const text = {
      input_ids: host([2, 3], [1, 2, 3, 4, 5, 6], DType.int64),
      attention_mask: host([2, 3], [1, 1, 1, 1, 1, 0], DType.int32),
    };
    const { graph, ...rest } = prepareModel(original);
    expect(graph.inputs.map((i) => [i.name, i.shape])).toEqual(
      ['input_ids', 'attention_mask'].map((name) => [name, ['batch', 'sequence']]),
    );
    expect(graph.outputs.map((o) => o.name)).toEqual(['logits']);
    const { logits } = await runModel(original, { ...text, ...emptyPast(original.graph, 2) });
    expect(difference({ logits }, await runModel({ ...rest, graph }, text), 1e-5, 1e-5)).toBeUndefined();
  });

  it('is refused by name where something else reads it', () => {
    const other = decoder(['past_0'], node('Add', ['mixed', 'past_0'], ['logits']));
    expect(() => prepareModel(other)).toThrow(/Attention of the node mixed has the input past \(past_0\)/);
  });
});
