import { expect, it } from 'vitest';
import { openSession } from '../../../../src/engine/onnxruntime/session';
import { GraphBuilder } from '../../../../src/graph/builder';
import { DType } from '../../../../src/graph/dtype';
import type { Graph } from '../../../../src/graph/model';
import { encodeModel } from '../../../../src/graph/onnx/encode';
import { inBlocks } from '../../../../src/graph/passes/in-blocks';
import { tensorOf } from '../../../../src/graph/values';
import { emptyGraph, modelOf } from '../../autodiff/check';

/** A chain that reads its input at every link, and has an output in its middle. */
function chain(links: number, first: (g: GraphBuilder, x: string) => string = (_, x) => x): Graph {
  const graph = emptyGraph();
  const g = new GraphBuilder(graph, '');
  const x = g.addInput('x', DType.float, ['batch', 8]);
  let last = first(g, x);
  for (let i = 0; i < links; i++) {
    const half = g.op('Mul', [last, g.scalar(0.5, DType.float)]);
    const reversed = g.op('Slice', [x, g.ints([-1]), g.ints([-9]), g.ints([1]), g.ints([-1])]);
    last = g.op('Add', [half, reversed], {}, { outputs: [`y${i}`] });
  }
  g.addOutput(`y${Math.floor(links / 2)}`);
  g.addOutput(last);
  return graph;
}

async function run(graph: Graph): Promise<number[][]> {
  const session = await openSession(encodeModel(modelOf(graph)));
  const data = Float32Array.from({ length: 16 }, (_, i) => Math.sin(i));
  const out = await session.run({ x: { dtype: DType.float, dims: [2, 8], data } });
  await session.dispose();
  return graph.outputs.map(({ name }) => Array.from(out[name]!.data, Number));
}

it('a large graph computes the same in blocks, and is opened as a few nodes', async () => {
  const graph = chain(500);
  const blocks = inBlocks(graph);
  expect(blocks.nodes.length).toBeLessThanOrEqual(15);
  expect(blocks.nodes.map((n) => n.opType)).toEqual(blocks.nodes.map(() => 'If'));
  expect(blocks.outputs).toEqual(graph.outputs);
  expect(await run(blocks)).toEqual(await run(graph));
});

it('outputs that are left out, and inputs that are, have nothing to do with each other', async () => {
  const graph = chain(500, (g, x) => {
    const outputs = ['normal', '', 'deviation'];
    g.op(
      'LayerNormalization',
      [x, g.addInitializer(tensorOf('ones', DType.float, [8], Array(8).fill(1)))],
      {},
      { outputs },
    );
    return g.op('Add', ['normal', 'deviation']);
  });
  const g = new GraphBuilder(graph, '/end');
  g.addOutput(g.op('Clip', [graph.outputs[1]!.name, '', g.scalar(0.5, DType.float)]));
  const blocks = inBlocks(graph);
  expect(blocks.nodes.map((n) => n.opType)).toEqual(blocks.nodes.map(() => 'If'));
  expect(await run(blocks)).toEqual(await run(graph));
});

it('a graph with a size that only a run knows stays as it is', () => {
  const graph = chain(500, (g, x) => {
    const indices = g.op('Squeeze', [g.op('NonZero', [x])]);
    return g.op('Mul', [
      x,
      g.op('Cast', [g.op('ReduceSum', [indices], { keepdims: 0 })], { to: DType.float }),
    ]);
  });
  expect(inBlocks(graph)).toBe(graph);
});
