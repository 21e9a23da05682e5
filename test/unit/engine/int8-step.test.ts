import { describe, expect, it } from 'vitest';
import { AGREEMENT, int8Step, type Judge, leastCosine } from '../../../src/engine/onnxruntime/int8-step';
import { openSession } from '../../../src/engine/onnxruntime/session';
import { normal } from '../../../src/base/random';
import { DType } from '../../../src/graph/dtype';
import { saveByReference } from '../../../src/graph/file/save';
import { inheritMark, markFrozenProducts } from '../../../src/graph/int8/frozen-products';
import type { Model } from '../../../src/graph/model';
import { tensorOf } from '../../../src/graph/values';
import { host, input, model, node } from '../graph/onnx-models';
import { scratchFolder } from '../../scratch';

const [SIZE, ROWS] = [32, 6];
const numbers = (seed: number, n: number) => Array.from({ length: n }, (_, i) => normal(seed, i));
const GRADIENTS = new Map(['h0', 'h1', 'dx0', 'dx1'].map((name) => [name, name]));

/** Two layers, each with its product forward and backward. An output of the second one is always 0. */
function step(): Model {
  const weight = (at: number) =>
    tensorOf(
      `W${at}`,
      DType.float,
      [SIZE, SIZE],
      numbers(at, SIZE * SIZE).map((w, i) => (at === 1 && i % SIZE === 0 ? 0 : w)),
    );
  const m = model({
    opset: 21,
    inputs: ['x', 'dy0', 'dy1'].map((name) => input(name, DType.float, [ROWS, SIZE])),
    nodes: [node('MatMul', ['x', 'W0'], ['h0']), node('MatMul', ['x', 'W1'], ['h1'])],
    outputs: [...GRADIENTS.values()],
    initializers: [weight(0), weight(1)],
  });
  const { nodes, ...graph } = markFrozenProducts(m.graph, m.graph, []);
  const backward = nodes.map((n, at) => {
    const made = node('Gemm', [`dy${at}`, `W${at}`], [`dx${at}`], { transB: 1 });
    inheritMark(n, [made]);
    return made;
  });
  return { ...m, graph: { ...graph, nodes: [...nodes, ...backward] } };
}

/** @param large the size of the channel that is multiplied by zeros */
function judgeOn(folder: string, { forward, backward }: { forward: number; backward: number }): Judge {
  const withLarge = (seed: number, large: number) =>
    host(
      [ROWS, SIZE],
      numbers(seed, ROWS * SIZE).map((v, i) => (i % SIZE === 0 ? large * v : v)),
    );
  const feeds = { x: withLarge(5, forward), dy0: withLarge(6, 1), dy1: withLarge(7, backward) };
  return {
    gradients: GRADIENTS,
    async open(of) {
      const session = await openSession(saveByReference(of, folder, 'judge.onnx'));
      return {
        run: (outputs, more) => session.run({ ...feeds, ...more }, outputs),
        dispose: () => session.dispose(),
      };
    },
  };
}

async function gradientsOf(judge: Judge, of: Model) {
  const opened = await judge.open(of);
  const out = await opened.run([...GRADIENTS.values()]);
  await opened.dispose();
  return new Map([...GRADIENTS.keys()].map((name) => [name, out[name]!.data as Float32Array]));
}

describe('a step in int8', () => {
  it('keeps the backward pass of layers in float32 that do not tolerate rounded gradients', async () => {
    const folder = scratchFolder('int8-step');
    const judge = judgeOn(folder, { forward: 1, backward: 1e4 });
    const { model: int8, warnings } = await int8Step(step(), folder, {}, judge);
    expect(warnings).toEqual([
      expect.stringMatching(/^The backward pass of 1 of 2 frozen layers stays in float32, .*: W1\.$/),
    ]);
    const types = int8.graph.nodes.map((n) => n.opType);
    expect(types.filter((type) => type === 'MatMulIntegerToFloat')).toHaveLength(3);
    const [exact, found] = [await gradientsOf(judge, step()), await gradientsOf(judge, int8)];
    expect(leastCosine(exact, found)).toBeGreaterThanOrEqual(AGREEMENT);
  });

  it('keeps the whole backward pass in float32 where the run is too short for a search', async () => {
    const folder = scratchFolder('int8-step-short');
    const judge = judgeOn(folder, { forward: 1, backward: 1e4 });
    let opened = 0;
    const counted: Judge = {
      ...{ ...judge, searchSteps: 7 },
      open: (of) => {
        opened += 1;
        return judge.open(of);
      },
    };
    const { model: int8, warnings } = await int8Step(step(), folder, {}, counted);
    expect(warnings).toEqual([
      expect.stringMatching(/^The backward pass of 2 of 2 frozen layers stays in float32, .*: W0, W1\.$/),
    ]);
    expect(int8.graph.nodes.filter((n) => n.opType === 'MatMulIntegerToFloat')).toHaveLength(2);
    // Float32, int8, the sizes of channels, and each pass.
    expect(opened).toBe(5);
  });

  it('is in int8 as a whole if the gradients agree', async () => {
    const folder = scratchFolder('int8-step-whole');
    const judge = judgeOn(folder, { forward: 1, backward: 1 });
    const { model: int8, warnings } = await int8Step(step(), folder, {}, judge);
    expect(warnings).toEqual([]);
    expect(int8.graph.nodes.filter((n) => n.opType === 'MatMulIntegerToFloat')).toHaveLength(4);
  });
});
