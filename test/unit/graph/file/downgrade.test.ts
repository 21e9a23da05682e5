import { describe, expect, it } from 'vitest';
import { addHead, type Pooling } from '../../../../src/tasks/head';
import { GraphBuilder } from '../../../../src/graph/builder';
import { forOpset } from '../../../../src/graph/file/downgrade';
import { DType } from '../../../../src/graph/dtype';
import type { Node } from '../../../../src/graph/model';
import { tensorOf } from '../../../../src/graph/values';
import { difference, host, input, model, runModel } from '../onnx-models';

const hidden = host([2, 3, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
const mask = host([2, 3], [1, 1, 0, 1, 1, 1], DType.int64);
const weight = tensorOf('weight', DType.float, [2, 2], [1, 0, 0, 1]);

/** A head written into a model of this opset. Its weight is the identity, so it returns the pooled values. */
function head(opset: number, pooling: Pooling, masked: boolean) {
  const m = model({
    opset,
    inputs: [
      input('hidden', DType.float, ['batch', 'sequence', 2]),
      ...(masked ? [input('mask', DType.int64, ['batch', 'sequence'])] : []),
    ],
    nodes: [],
    outputs: [],
    initializers: [weight, tensorOf('bias', DType.float, [2], [0, 100])],
  });
  const nodes: Node[] = [];
  const g = new GraphBuilder(m.graph, '/head', nodes);
  const info = { dtype: DType.float, shape: ['batch', 'sequence', 2] };
  const spec = { pooling, classes: 2, weight: 'weight', bias: 'bias' };
  const logits = addHead(g, 'hidden', info, spec, masked ? 'mask' : undefined);
  m.graph.outputs = [{ name: logits, dtype: 0, shape: undefined }];
  m.graph.nodes = forOpset(nodes, m.graph, opset);
  return { m, logits };
}

describe.each([9, 11, 12, 13, 17, 18, 21])('a head in a model of opset %i', (opset) => {
  it.each<[Pooling, boolean, number[]]>([
    ['first-token', true, [1, 102, 7, 108]],
    ['mean', true, [2, 103, 9, 110]],
    ['mean', false, [3, 104, 9, 110]],
  ])('computes the pooled values with %s pooling, masked: %s', async (pooling, masked, want) => {
    const { m, logits } = head(opset, pooling, masked);
    const used = new Set(m.graph.nodes.flatMap((n) => n.inputs));
    expect([...m.graph.initializers.keys()].filter((name) => !used.has(name))).toEqual([]);
    const out = await runModel(m, { hidden, ...(masked && { mask }) });
    expect(difference({ [logits]: host([2, 2], want) }, out)).toBeUndefined();
  });
});
