import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSession, type OrtSession } from '../../../src/engine/onnxruntime/session';
import { GraphBuilder } from '../../../src/graph/builder';
import { DType } from '../../../src/graph/dtype';
import type { HostTensor } from '../../../src/graph/tensor-infos';
import { encodeModel } from '../../../src/graph/onnx/encode';
import { addHead } from '../../../src/tasks/head';
import { IGNORE_LABEL, OBJECTIVES, type ObjectiveName } from '../../../src/tasks/objective';
import { emptyGraph, modelOf } from '../autodiff/check';

process.env.ORT_DISABLE_TELEMETRY = '1';

const float = (dims: number[], data: Iterable<number>): HostTensor => ({
  dtype: DType.float,
  dims,
  data: Float32Array.from(data),
});
const int64 = (dims: number[], data: number[]): HostTensor => ({
  dtype: DType.int64,
  dims,
  data: BigInt64Array.from(data, BigInt),
});

/** Axes of the logits before the last. */
const AXES: Record<ObjectiveName, string[]> = {
  'cross-entropy': ['batch'],
  'token-cross-entropy': ['batch', 'sequence'],
  'binary-cross-entropy': ['batch'],
  mse: ['batch'],
  'noise-mse': ['batch', 'channels'],
  'causal-lm': ['batch', 'sequence'],
};
const NAMES = Object.keys(OBJECTIVES) as ObjectiveName[];

describe.each(NAMES)('the measured loss of %s', (name) => {
  const { labels: wanted, build, measure } = OBJECTIVES[name];
  const isClasses = wanted.dtype === DType.int64;
  /** Labels for each output, of 0 and 1. */
  const isSet = wanted.rank === 'all';
  let session: OrtSession;
  let outputs: [lossSum: string, count: string];

  beforeAll(async () => {
    const graph = emptyGraph();
    const g = new GraphBuilder(graph, '');
    g.addInput('logits', DType.float, [...AXES[name], 'classes']);
    g.addInput(
      'labels',
      wanted.dtype,
      wanted.rank === 'all' ? [...AXES[name], 'classes'] : AXES[name].slice(0, wanted.rank),
    );
    const { lossSum, count } = build(g, 'logits', 'labels', DType.float);
    outputs = [lossSum, count];
    outputs.forEach((output) => g.addOutput(output));
    session = await openSession(encodeModel(modelOf(graph)));
  });
  afterAll(() => session.dispose());

  async function compared(logits: HostTensor, labels: HostTensor) {
    const out = await session.run({ logits, labels }, outputs);
    const [lossSum, count] = outputs.map((output) => Number(out[output].data[0]));
    const found = measure(logits, labels);
    expect(found.count).toBe(count);
    expect(Math.abs(found.lossSum - lossSum)).toBeLessThanOrEqual(1e-5 * (1 + Math.abs(lossSum)));
    return found;
  }

  it('equals the loss that the graph computes, with and without ignored labels', async () => {
    // Texts of one token have no next token, and ONNX Runtime cannot run the graph on them.
    const min = name === 'causal-lm' ? 2 : 1;
    const shape = fc.record({
      dims: fc.tuple(...AXES[name].map(() => fc.integer({ min, max: 4 }))),
      classes: fc.integer({ min: 1, max: 5 }),
      scale: fc.constantFrom(0.1, 3, 60),
      ignored: fc.constantFrom(0, 0.3, 1),
      seed: fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 97, maxLength: 97 }),
    });
    let ignoredSome = 0;
    await fc.assert(
      fc.asyncProperty(shape, async ({ dims, classes, scale, ignored, seed }) => {
        const size = dims.reduce((a, b) => a * b, 1);
        const draw = (i: number) => seed[i % seed.length];
        const logits = float(
          [...dims, classes],
          Array.from({ length: size * classes }, (_, i) => scale * draw(i)),
        );
        const values = Array.from({ length: isSet ? size * classes : size }, (_, i) => {
          if (isSet) return Number(draw(3 * i + 1) > 0);
          if (!isClasses) return draw(3 * i + 1);
          const at = (1 + draw(5 * i + 2)) / 2;
          return at < ignored || ignored === 1
            ? IGNORE_LABEL
            : Math.min(classes - 1, Math.floor(at * classes));
        });
        if (values.includes(IGNORE_LABEL)) ignoredSome++;
        const labelDims = isSet ? [...dims, classes] : dims;
        await compared(logits, isClasses ? int64(labelDims, values) : float(labelDims, values));
      }),
      { seed: 1, numRuns: 60 },
    );
    if (isClasses) expect(ignoredSome).toBeGreaterThan(10);
  });

  it.runIf(isClasses)('is 0 if all labels are ignored', async () => {
    const dims = AXES[name].map(() => 2);
    const size = 2 ** dims.length;
    const logits = float(
      [...dims, 3],
      Array.from({ length: size * 3 }, (_, i) => i),
    );
    const labels = int64(
      dims,
      Array.from({ length: size }, () => IGNORE_LABEL),
    );
    expect(await compared(logits, labels)).toEqual({ lossSum: 0, count: 0 });
  });
});

describe('the measured loss', () => {
  const { log, exp } = Math;

  it('is the sum of −log softmax over the labels that are not ignored', () => {
    const logits = float([2, 2, 2], [0, 0, 1, 0, 0, 2, 9, 9]);
    const labels = int64([2, 2], [1, 0, IGNORE_LABEL, 1]);
    const { lossSum, count } = OBJECTIVES['token-cross-entropy'].measure(logits, labels);
    expect(count).toBe(3);
    expect(lossSum).toBeCloseTo(log(2) + log(1 + exp(-1)) + log(2), 10);
  });

  it('of a language model is for the next token of the same text', () => {
    const logits = float([2, 3, 2], [0, 5, 0, 0, 7, 7, 2, 0, 0, 0, 9, 0]);
    const labels = int64([2, 3], [0, 1, IGNORE_LABEL, 1, 0, 1]);
    const { lossSum, count } = OBJECTIVES['causal-lm'].measure(logits, labels);
    // Counted are 1 after the first token of the first text, and 0 and 1 of the second.
    expect(count).toBe(3);
    expect(lossSum).toBeCloseTo(log(1 + exp(-5)) + log(1 + exp(-2)) + log(2), 10);
  });

  it('of mse is the squared error of the first column', () => {
    const found = OBJECTIVES.mse.measure(float([2, 2], [1, 50, -2, 60]), float([2], [0.5, 1]));
    expect(found).toEqual({ lossSum: 0.25 + 9, count: 2 });
  });

  it('of noise-mse is the mean over all elements of each example', () => {
    const found = OBJECTIVES['noise-mse'].measure(
      float([2, 1, 2], [1, 2, 3, 4]),
      float([2, 1, 2], [0, 0, 3, 2]),
    );
    expect(found).toEqual({ lossSum: 2.5 + 2, count: 2 });
  });
});

it('weights of examples change the sum of noise-mse and not its count', async () => {
  const graph = emptyGraph();
  const g = new GraphBuilder(graph, '');
  for (const name of ['logits', 'labels']) g.addInput(name, DType.float, ['batch', 'values']);
  g.addInput('weights', DType.float, ['batch']);
  const { build } = OBJECTIVES['noise-mse'];
  const { lossSum, count } = build(g, 'logits', 'labels', DType.float, { exampleWeights: true }, 'weights');
  [lossSum, count].forEach((output) => g.addOutput(output));
  const session = await openSession(encodeModel(modelOf(graph)));
  const feeds = {
    logits: float([2, 2], [1, 2, 3, 4]),
    labels: float([2, 2], [0, 0, 3, 2]),
    weights: float([2], [10, 0.5]),
  };
  const out = await session.run(feeds, [lossSum, count]);
  await session.dispose();
  expect([...out[lossSum].data, ...out[count].data]).toEqual([26, 2]);
});

describe('a linear head', () => {
  it('without pooling is applied to every token', async () => {
    const graph = emptyGraph();
    const g = new GraphBuilder(graph, '');
    const shape = ['batch', 'sequence', 2];
    g.addInput('hidden', DType.float, shape);
    g.addInput('w', DType.float, [3, 2]);
    g.addInput('b', DType.float, [3]);
    const logits = addHead(
      g,
      'hidden',
      { dtype: DType.float, shape },
      { classes: 3, weight: 'w', bias: 'b' },
      undefined,
    );
    g.addOutput(logits);
    const session = await openSession(encodeModel(modelOf(graph)));
    const weight = [1, 0, 0, 1, 1, 1];
    const hidden = [1, 2, 3, 4, 5, 6, 7, 8];
    const feeds = {
      hidden: float([2, 2, 2], hidden),
      w: float([3, 2], weight),
      b: float([3], [10, 20, 30]),
    };
    const out = (await session.run(feeds, [logits]))[logits];
    await session.dispose();
    expect(out.dims).toEqual([2, 2, 3]);
    expect([...out.data]).toEqual([11, 22, 33, 13, 24, 37, 15, 26, 41, 17, 28, 45]);
  });
});
