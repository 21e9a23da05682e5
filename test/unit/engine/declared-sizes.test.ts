import { expect, it } from 'vitest';
import { deviceGraph } from '../../../src/engine/onnxruntime/device-graph';
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
const declares = (nodes: number, device: 'cpu' | 'cuda', gradientCheckpointing: boolean) =>
  new Declared(deviceGraph(chain(nodes), device, gradientCheckpointing).graph).shape('y0') !== undefined;

// ONNX Runtime keeps buffers of known sizes for later tensors, which costs memory.
it.each([
  [1500, 'cpu', false, false],
  [2500, 'cpu', false, true],
  [2500, 'cpu', true, false],
  // In blocks, where a list of buffers is short.
  [5500, 'cpu', true, false],
  [7500, 'cpu', false, false],
  [5500, 'cuda', false, false],
] as const)(
  'a graph of %i nodes on %s, checkpointing %s: declares its sizes: %s',
  (nodes, device, saves, is) => {
    expect(declares(nodes, device, saves)).toBe(is);
  },
);
