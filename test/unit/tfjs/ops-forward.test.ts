import { describe, it } from 'vitest';
import { openSession } from '../../../src/engine/onnxruntime/session';
import { GraphBuilder } from '../../../src/graph/builder';
import { DType } from '../../../src/graph/dtype';
import type { HostTensors } from '../../../src/graph/tensor-infos';
import { encodeModel } from '../../../src/graph/onnx/encode';
import { draw, emptyGraph, generator, modelOf } from '../autodiff/check';
import { close } from './compare';
import { FORWARD } from './forward-cases';
import { interpret } from './interpret';

describe('both engines agree, wherever the inputs are', () => {
  it.each(Object.entries(FORWARD))('%s', async (_, { inputs, build, sides }) => {
    const graph = emptyGraph();
    const g = new GraphBuilder(graph, '');
    const random = generator(7);
    const feeds: HostTensors = {};
    Object.entries(inputs).forEach(([name, input], n) => {
      g.addInput(name, input.dtype ?? DType.float, [...input.shape]);
      feeds[name] = draw(input, input.shape as number[], n, random);
    });
    build(g).forEach((y) => g.addOutput(y));
    const session = await openSession(encodeModel(modelOf(graph)), { optimization: 'disabled' });
    const expected = await session.run(feeds);
    await session.dispose();
    for (const side of sides ?? (['usual', 'host', 'device'] as const)) {
      const got = await interpret(graph, feeds, 'cpu', side);
      for (const [name, t] of Object.entries(expected)) close(got[name], t, `${name} (${side})`, 1e-5);
    }
  });
});
