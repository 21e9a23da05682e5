import { describe, expect, it } from 'vitest';
import { openForward } from '../../../src/engine/open-task';
import { loadBackend, largestTensor } from '../../../src/engine/tfjs/backends';
import { attempt } from '../../../src/engine/tfjs/failures';
import { openGraphs } from '../../../src/engine/tfjs/stepper';
import type { Place, TfjsBackend } from '../../../src/engine/place';
import type { TaskGraph } from '../../../src/tasks/task-graph';
import { GraphBuilder } from '../../../src/graph/builder';
import { DType } from '../../../src/graph/dtype';
import { INTERNAL_IR_VERSION, INTERNAL_OPSET, type Graph } from '../../../src/graph/model';
import { onWebgpu } from '../../webgpu';

const on = (device: TfjsBackend): { place: Place } => ({ place: { engine: 'tfjs', device } });
const ROW = 2 ** 18;

/** Σ exp(w · c) over `rows` rows, where c is a constant of that size if `frozen`. */
function sumTask(rows: number, frozen = false): TaskGraph {
  const graph: Graph = { name: 'sum', nodes: [], initializers: new Map(), inputs: [], outputs: [] };
  const g = new GraphBuilder(graph, '/sum');
  g.addInput('w', DType.float, [1]);
  const data = new Uint8Array(frozen ? rows * ROW * 4 : 0);
  const large = frozen
    ? g.op('Mul', ['w', g.addInitializer({ name: 'table', dtype: DType.float, dims: [rows, ROW], data })])
    : g.op('Expand', ['w', g.ints([rows, ROW])]);
  const lossSum = g.op('ReduceSum', [g.op('Exp', [large])], { keepdims: 0 });
  return {
    model: {
      irVersion: INTERNAL_IR_VERSION,
      producer: '',
      opsets: new Map([['', INTERNAL_OPSET]]),
      graph,
      metadata: new Map(),
    },
    trainable: [{ name: 'w', dims: [1], part: 'adapter' }],
    frozen: [],
    labels: '',
    logits: lossSum,
    lossSum,
    count: g.scalar(1, DType.float),
    stop: [],
    observed: new Map(),
  };
}

/** More rows than fit into a GPU tensor, or undefined if that is too much for a test. */
async function tooManyRows(): Promise<number | undefined> {
  const rows = Math.floor(largestTensor(await loadBackend(on('webgpu'))) / (ROW * 4)) + 1;
  return rows <= 256 ? rows : undefined;
}

describe.runIf(onWebgpu)('WebGPU, which returns zeros instead of throwing', () => {
  it('reports what does not fit in a step, an evaluation or activations, and the next one is right', async (test) => {
    const rows = await tooManyRows();
    if (rows === undefined) return test.skip();
    const w = new Map([['w', Float32Array.of(0)]]);
    const large = await openGraphs(sumTask(rows), sumTask(rows), on('webgpu'));
    const memory = { kind: 'memory', message: expect.stringContaining('TensorFlow.js on webgpu') as string };
    await expect(large.step({}, w, 1)).rejects.toMatchObject(memory);
    await expect(large.evaluate({}, w)).rejects.toMatchObject(memory);
    const { model, lossSum: sum } = sumTask(rows);
    const inside = await openForward(model, [sum], '', on('webgpu'));
    const feeds = { w: { dtype: DType.float, dims: [1], data: w.get('w')! } };
    await expect(inside.run(feeds)).rejects.toMatchObject(memory);
    const small = await openGraphs(sumTask(2), sumTask(2), on('webgpu'));
    const { lossSum, gradients } = await small.step({}, w, 1);
    expect([lossSum, ...gradients.get('w')!]).toEqual([2 * ROW, 2 * ROW]);
    await large.dispose();
    await inside.dispose();
    await small.dispose();
  });

  it('names a weight too large for a shader before training', async (test) => {
    const rows = await tooManyRows();
    if (rows === undefined) return test.skip();
    const task = sumTask(rows, true);
    await expect(openGraphs(task, task, on('webgpu'))).rejects.toMatchObject({
      kind: 'memory',
      message: expect.stringMatching(/^The weight table takes \d+ MiB/) as string,
    });
  });
});

describe('a failing gradient computation', () => {
  it('names the operator that has no gradient', async () => {
    const tf = await loadBackend(on('cpu'));
    const run = () => attempt(tf, () => tf.grad((x) => tf.sum(tf.topk(x, 1).values))(tf.tensor1d([1, 2])));
    expect(run).toThrow('TensorFlow.js on cpu has no gradient of TopK.');
  });

  it('names the kernel that a backend lacks', async () => {
    const tf = await loadBackend(on('wasm'));
    const gather = (x: ReturnType<typeof tf.tensor>) => tf.sum(tf.gather(x, tf.tensor1d([0, 0], 'int32')));
    const run = () => attempt(tf, () => tf.grad(gather)(tf.tensor1d([1, 2])));
    expect(run).toThrow('TensorFlow.js on wasm has no kernel UnsortedSegmentSum, which a gradient needs.');
  });
});
