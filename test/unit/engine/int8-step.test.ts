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
const LAYERS = [0, 1, 2, 3, 4, 5, 6, 7];
const gradients = (layers: readonly number[]) =>
  new Map([...layers.map((at) => `h${at}`), ...layers.map((at) => `dx${at}`)].map((name) => [name, name]));

/** The layer whose inputs, or the gradients of whose outputs, have large values that are multiplied by zeros. */
interface Intolerant {
  layers: readonly number[];
  forward?: number;
  backward?: number;
}

/** Layers side by side, each with its product forward and backward. */
function step({ layers, forward, backward }: Intolerant): Model {
  const isZero = (at: number, i: number) =>
    (at === forward && i < ROWS * SIZE) || (at === backward && i % SIZE === 0);
  const weight = (at: number) => {
    const values = numbers(at, SIZE * SIZE).map((w, i) => (isZero(at, i) ? 0 : w));
    return tensorOf(`W${at}`, DType.float, [SIZE, SIZE], values);
  };
  const m = model({
    opset: 21,
    inputs: layers.flatMap((at) => [`x${at}`, `dy${at}`].map((x) => input(x, DType.float, [ROWS, SIZE]))),
    nodes: layers.map((at) => node('MatMul', [`x${at}`, `W${at}`], [`h${at}`])),
    outputs: [...gradients(layers).values()],
    initializers: layers.map(weight),
  });
  const { nodes, ...graph } = markFrozenProducts(m.graph, m.graph, []);
  const made = nodes.map((n, i) => {
    const product = node('Gemm', [`dy${layers[i]}`, `W${layers[i]}`], [`dx${layers[i]}`], { transB: 1 });
    inheritMark(n, [product]);
    return product;
  });
  return { ...m, graph: { ...graph, nodes: [...nodes, ...made] } };
}

const LARGE = 1e4;

function judgeOn(folder: string, { layers, forward, backward }: Intolerant): Judge & { opened(): number } {
  const values = (seed: number, isLarge: (row: number, channel: number) => boolean) =>
    host(
      [ROWS, SIZE],
      numbers(seed, ROWS * SIZE).map((v, i) => (isLarge(Math.floor(i / SIZE), i % SIZE) ? LARGE * v : v)),
    );
  const feeds = Object.fromEntries(
    layers.flatMap((at) => [
      // A different channel in each row: more than are multiplied in float32 as outlier channels.
      [`x${at}`, values(20 + at, (row, channel) => at === forward && channel === row)],
      [`dy${at}`, values(40 + at, (_, channel) => at === backward && channel === 0)],
    ]),
  );
  let opened = 0;
  return {
    gradients: gradients(layers),
    opened: () => opened,
    async open(of) {
      opened += 1;
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
  const out = await opened.run([...judge.gradients.values()]);
  await opened.dispose();
  return new Map([...judge.gradients.keys()].map((name) => [name, out[name]!.data as Float32Array]));
}

const inInt8 = ({ graph }: Model) => graph.nodes.filter((n) => n.opType === 'MatMulIntegerToFloat').length;

describe('a step in int8', () => {
  it('keeps the backward pass of layers in float32 that do not tolerate rounded gradients', async () => {
    const folder = scratchFolder('int8-step');
    const intolerant = { layers: [0, 1], backward: 1 };
    const judge = judgeOn(folder, intolerant);
    const { model: int8, warnings } = await int8Step(step(intolerant), folder, {}, judge);
    expect(warnings).toEqual([
      expect.stringMatching(/^The backward pass of 1 of 2 frozen layers stays in float32, .*: W1\.$/),
    ]);
    expect(inInt8(int8)).toBe(3);
    const [exact, found] = [await gradientsOf(judge, step(intolerant)), await gradientsOf(judge, int8)];
    expect(leastCosine(exact, found)).toBeGreaterThanOrEqual(AGREEMENT);
  });

  it('keeps the whole backward pass in float32 where the run is too short for a search', async () => {
    const folder = scratchFolder('int8-step-short');
    const intolerant = { layers: [0, 1], backward: 1 };
    const judge = judgeOn(folder, intolerant);
    const short = { ...judge, searchSteps: 7 };
    const { model: int8, warnings } = await int8Step(step(intolerant), folder, {}, short);
    expect(warnings).toEqual([
      expect.stringMatching(/^The backward pass of 2 of 2 frozen layers stays in float32, .*: W0, W1\.$/),
    ]);
    expect(inInt8(int8)).toBe(2);
    // Float32, int8, the sizes of channels, and each pass.
    expect(judge.opened()).toBe(5);
  });

  it.each([
    ['forward', 'float32, int8, the sizes of channels, the largest ones in float32, and the first layer'],
    ['backward', 'float32, int8, the sizes of channels, and the first layer of each pass'],
  ])('keeps the first eighth of the %s pass in float32 if that is enough, after %s', async (pass) => {
    const folder = scratchFolder('int8-step-early');
    const intolerant = { layers: LAYERS, [pass]: 0 };
    const judge = judgeOn(folder, intolerant);
    const short = { ...judge, searchSteps: 0 };
    const { model: int8, warnings } = await int8Step(step(intolerant), folder, {}, short);
    expect(warnings).toEqual([
      expect.stringMatching(
        new RegExp(`^The ${pass} pass of 1 of 8 frozen layers stays in float32, .*: W0\\.$`),
      ),
    ]);
    expect(inInt8(int8)).toBe(15);
    expect(judge.opened()).toBe(5);
  });

  it('searches for the layers if the first eighth is not enough', async () => {
    const folder = scratchFolder('int8-step-late');
    const intolerant = { layers: LAYERS, forward: 5 };
    const { model: int8, warnings } = await int8Step(
      step(intolerant),
      folder,
      {},
      judgeOn(folder, intolerant),
    );
    expect(warnings).toEqual([
      expect.stringMatching(/^The forward pass of 1 of 8 frozen layers stays in float32, .*: W5\.$/),
    ]);
    expect(inInt8(int8)).toBe(15);
  });

  it('is in int8 as a whole if the gradients agree', async () => {
    const folder = scratchFolder('int8-step-whole');
    const tolerant = { layers: [0, 1] };
    const { model: int8, warnings } = await int8Step(step(tolerant), folder, {}, judgeOn(folder, tolerant));
    expect(warnings).toEqual([]);
    expect(inInt8(int8)).toBe(4);
  });
});
