import { describe, expect, it } from 'vitest';
import type { HostTensors } from '../../../src/engine/stepper';
import { deviceFeeds, deviceGraph } from '../../../src/engine/onnxruntime/device-graph';
import { GraphBuilder } from '../../../src/graph/builder';
import { DType } from '../../../src/graph/dtype';
import { INTERNAL_IR_VERSION, INTERNAL_OPSET, type Graph, type Model } from '../../../src/graph/model';
import { narrowIntegers } from '../../../src/graph/passes/narrow-integers';
import { difference, runModel } from './onnx-models';

/** x: float (3, 4); ids: int64 (3, 4) with some negative values. */
const INPUTS: HostTensors = {
  x: {
    dtype: DType.float,
    dims: [3, 4],
    data: Float32Array.of(-3, -1.5, -0.5, -0, 0, 0.25, 1, 2, 3, -7, 0.125, 40),
  },
  ids: {
    dtype: DType.int64,
    dims: [3, 4],
    data: BigInt64Array.of(0n, 1n, 2n, -1n, 1n, -2n, -100n, 0n, 2n, 0n, 1n, -3n),
  },
};

function modelOf(build: (g: GraphBuilder) => string): Model {
  const graph: Graph = { name: 'g', nodes: [], initializers: new Map(), inputs: [], outputs: [] };
  const g = new GraphBuilder(graph, '');
  for (const [name, { dtype, dims }] of Object.entries(INPUTS)) g.addInput(name, dtype, dims);
  g.addOutput(build(g));
  return {
    irVersion: INTERNAL_IR_VERSION,
    producer: 'aurora-lab',
    opsets: new Map([['', INTERNAL_OPSET]]),
    graph,
    metadata: new Map(),
  };
}

/** Runs both on the CPU, which supports all operators, because only the numbers matter. */
async function sameNumbers(model: Model): Promise<Model> {
  const shaped = deviceGraph(model, 'webgpu');
  const read = (m: Model) => deviceFeeds(m, INPUTS);
  const want = await runModel(model, read(model));
  const got = await runModel(shaped, read(shaped));
  expect(difference(want, got, 1e-6, 1e-6)).toBeUndefined();
  return shaped;
}

const operators = (m: Model): string[] => m.graph.nodes.map((n) => n.opType);

describe('rewriting float operators that WebGPU lacks', () => {
  it.each<[string, (g: GraphBuilder) => string]>([
    ['Sign', (g) => g.op('Sign', ['x'])],
    ['LogSoftmax', (g) => g.op('LogSoftmax', ['x'])],
    ['LogSoftmax', (g) => g.op('LogSoftmax', ['x'], { axis: 0 })],
    ['Softsign', (g) => g.op('Softsign', ['x'])],
    ['Selu', (g) => g.op('Selu', ['x'])],
    ['Selu', (g) => g.op('Selu', ['x'], { alpha: { float: 1.25 }, gamma: { float: 0.5 } })],
    ['Celu', (g) => g.op('Celu', ['x'], { alpha: { float: 2 } })],
    ['Sum', (g) => g.op('Sum', ['x', 'x', g.scalar(0.5, DType.float)])],
    ['Sum', (g) => g.op('Sum', ['x'])],
    ['Mean', (g) => g.op('Mean', ['x', 'x', g.scalar(0.5, DType.float)])],
    ['Dropout', (g) => g.op('Dropout', ['x'])],
    [
      'OneHot',
      (g) =>
        g.op('OneHot', [
          g.op('Max', ['ids', g.scalar(-3, DType.int64)]),
          g.scalar(3, DType.int64),
          g.constant(DType.float, [2], [-1, 4]),
        ]),
    ],
  ])('replaces %s by others with the same result', async (opType, build) => {
    const model = modelOf(build);
    expect(operators(model)).toContain(opType);
    expect(operators(await sameNumbers(model))).not.toContain(opType);
  });

  it('makes a whole-number exponent of a power a float', async () => {
    const shaped = await sameNumbers(modelOf((g) => g.op('Pow', ['x', g.scalar(3, DType.int64)])));
    const exponent = shaped.graph.nodes.find((n) => n.opType === 'Pow')!.inputs[1];
    expect(shaped.graph.initializers.get(exponent)!.dtype).toBe(DType.float);
  });

  it('keeps a dropout in training', () => {
    const model = modelOf((g) => {
      const yes = g.constant(DType.bool, [], [1]);
      return g.op('Dropout', ['x', g.scalar(0.5, DType.float), yes]);
    });
    expect(operators(deviceGraph(model, 'webgpu'))).toEqual(['Dropout']);
  });

  it('leaves the graph unchanged for other devices', () => {
    const model = modelOf((g) => g.op('Sign', ['x']));
    expect(deviceGraph(model, 'cpu')).toBe(model);
    expect(deviceGraph(model, 'cuda')).toBe(model);
  });
});

describe('narrowing integers to 32 bits', () => {
  const float = (g: GraphBuilder, x: string) => g.op('Cast', [x], { to: DType.float });

  it.each<[string, (g: GraphBuilder) => string]>([
    ['a mask', (g) => float(g, g.op('Unsqueeze', ['ids', g.ints([1])]))],
    [
      'shifted labels and ignored positions',
      (g) => {
        const labels = g.op('Slice', ['ids', g.ints([1]), g.ints([Number.MAX_SAFE_INTEGER]), g.ints([1])]);
        const counts = g.op('Not', [g.op('Equal', [labels, g.scalar(-100, DType.int64)])]);
        return float(g, g.op('Where', [counts, labels, g.scalar(0, DType.int64)]));
      },
    ],
    [
      'positions from a mask',
      (g) => {
        const mask = g.op('Cast', [g.op('Greater', ['ids', g.scalar(0, DType.int64)])], { to: DType.int64 });
        const sum = g.op('CumSum', [mask, g.scalar(1, DType.int64)]);
        return float(g, g.op('Mul', [sum, mask]));
      },
    ],
    [
      'the last unmasked token',
      (g) => {
        const last = g.op('Sub', [
          g.op('ReduceSum', [g.op('Max', ['ids', g.scalar(0, DType.int64)]), g.ints([1])]),
          g.scalar(1, DType.int64),
        ]);
        return g.op('GatherElements', ['x', g.op('Min', [last, g.scalar(3, DType.int64)])], { axis: 1 });
      },
    ],
    ['rows of a table', (g) => g.op('Gather', ['x', g.op('Max', ['ids', g.scalar(-3, DType.int64)])])],
    [
      'an operator that only accepts int64',
      (g) => {
        const pairs = g.op('Slice', ['ids', g.ints([0]), g.ints([2]), g.ints([1])]);
        return g.op('GatherND', [
          'x',
          g.op('Clip', [pairs, g.scalar(0, DType.int64), g.scalar(2, DType.int64)]),
        ]);
      },
    ],
  ])('gives the same result: %s', async (_, build) => {
    const shaped = await sameNumbers(modelOf(build));
    expect(shaped.graph.inputs.find((i) => i.name === 'ids')?.dtype).toBe(DType.int32);
  });

  it("returns an integer result in the model's type", async () => {
    const model = modelOf((g) => g.op('Add', ['ids', g.scalar(1, DType.int64)]));
    const shaped = await sameNumbers(model);
    const [result] = Object.values(await runModel(shaped, deviceFeeds(shaped, INPUTS)));
    expect(result.dtype).toBe(DType.int64);
  });

  it('does not apply where a body reads the integers by name', () => {
    const body: Graph = {
      name: 'body',
      nodes: [],
      initializers: new Map(),
      inputs: [],
      outputs: [],
    };
    body.outputs.push({
      name: new GraphBuilder(body, 'b').op('Identity', ['ids']),
      dtype: 0,
      shape: undefined,
    });
    const model = modelOf((g) => {
      const branch = { type: 'graph' as const, value: body };
      const one = g.constant(DType.bool, [], [1]);
      return float(g, g.op('If', [one], { then_branch: branch, else_branch: branch }));
    });
    expect(narrowIntegers(model)).toBe(model);
  });
});
