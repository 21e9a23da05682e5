import { expect, it } from 'vitest';
import { deviceGraph, type GraphKind } from '../../../src/engine/onnxruntime/device-graph';
import { GraphBuilder } from '../../../src/graph/builder';
import { Declared } from '../../../src/graph/declared';
import { DType } from '../../../src/graph/dtype';
import { emptyGraph, modelOf } from '../autodiff/check';

const chain = (nodes: number) => {
  const graph = emptyGraph();
  const g = new GraphBuilder(graph, '');
  let last = g.addInput('x', DType.float, ['batch', 8]);
  for (let i = 0; i < nodes; i++) last = g.op('Relu', [last], {}, { outputs: [`y${i}`] });
  g.addOutput(last);
  return modelOf(graph);
};
function formOf(nodes: number, device: 'cpu' | 'cuda', kind: GraphKind): 'blocks' | 'sizes' | 'plain' {
  const { graph } = deviceGraph(chain(nodes), device, kind);
  if (graph.nodes.every((n) => n.opType === 'If')) return 'blocks';
  return new Declared(graph).shape('y0') === undefined ? 'plain' : 'sizes';
}

// ONNX Runtime keeps buffers of known sizes for later tensors, which costs memory; in blocks, its list of buffers is short.
it.each([
  [1500, 'cpu', 'step', 'plain'],
  [2500, 'cpu', 'step', 'sizes'],
  [7500, 'cpu', 'step', 'blocks'],
  [2500, 'cpu', 'checkpointed-step', 'plain'],
  [5500, 'cpu', 'checkpointed-step', 'blocks'],
  [1500, 'cpu', 'forward', 'plain'],
  [2500, 'cpu', 'forward', 'blocks'],
  [5500, 'cuda', 'forward', 'plain'],
] as const)('a graph of %i nodes on %s, for a %s: %s', (nodes, device, kind, form) => {
  expect(formOf(nodes, device, kind)).toBe(form);
});
