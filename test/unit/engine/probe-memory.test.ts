import { expect, it } from 'vitest';
import { probe } from '../../../src/engine/onnxruntime/probe';
import { GraphBuilder } from '../../../src/graph/builder';
import { DType } from '../../../src/graph/dtype';
import { INTERNAL_OPSET, type Graph, type Model } from '../../../src/graph/model';
import { scratchFolder } from '../../scratch';

const folder = scratchFolder('probe');

it('a probe keeps no tensor until its end', async () => {
  const graph: Graph = { name: 'chain', nodes: [], initializers: new Map(), inputs: [], outputs: [] };
  const g = new GraphBuilder(graph, '/chain');
  const side = 768;
  let x = g.addInput('x', DType.float, ['batch', side, side]);
  const steps = 60;
  for (let i = 0; i < steps; i++) x = g.op('Neg', [x]);
  g.addOutput(x);
  const opsets = new Map([['', INTERNAL_OPSET]]);
  const model: Model = { irVersion: 10, producer: '', opsets, graph, metadata: new Map() };
  const before = process.resourceUsage().maxRSS;
  const infos = await probe(model, folder);
  expect(infos.get(x)!.shape).toEqual(['batch', side, side]);
  // Five examples at most: together, all tensors have 700 MB.
  const all = steps * 5 * 4 * side ** 2;
  expect((process.resourceUsage().maxRSS - before) * 1024).toBeLessThan(all / 3);
});
