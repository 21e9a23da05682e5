import { openEvaluator, openForward } from '../../engine/open-task';
import { probe } from '../../engine/onnxruntime/probe';
import type { Place } from '../../engine/place';
import { GraphBuilder } from '../../graph/builder';
import { DType } from '../../graph/dtype';
import type { HostTensors } from '../../graph/tensor-infos';
import { INTERNAL_IR_VERSION, INTERNAL_OPSET, type Model } from '../../graph/model';
import type { MachineRates } from '../../protocol/step-cost';
import { LABELS } from '../../tasks/task-graph';
import { matmulRate, rateOf } from '../doctor/place-rates';

const CPU: Place = { engine: 'onnxruntime', device: 'cpu' };
const SECONDS = 0.4;
/** The size of the operators' tensors: the inner layer of a base model for 1024 tokens. */
const LARGE = { rows: 1024, columns: 3072 };
/** A size so small that only starting an operator takes time. */
const SMALL = { rows: 1, columns: 8 };
/** Large operators in a row: a few milliseconds, so that some runs meet no other program. */
const LARGE_CHAIN = 4;
/** The additional bytes at the ends of such a chain: the first operator reads and writes, the last one reads. */
const ENDS = 3;
const CHAIN = 16;
const LONG_CHAIN = 512;

interface Chain {
  rows: number;
  columns: number;
  operators: number;
}

/** The sizes of an integer product, and of a weight that is widened. */
const INT8 = { rows: 256, width: 2048 };
const WIDENED = { rows: 1024, columns: 4096, block: 32 };

/**
 * Measures products of matrices, of floats and of integers, the widening of integers, elementwise sums, erf and the start of an
 * operator, for about three seconds in all, each by the median of many short runs, so that it hardly matters if some are
 * interrupted. Runs in a child process.
 */
export async function measureRates(folder: string, threads: number): Promise<MachineRates> {
  const product = await matmulRate(CPU, folder, threads, SECONDS);
  const values = LARGE.rows * LARGE.columns;
  const sums = (chain: Chain) => chainSeconds(folder, threads, chain, (g, x, y) => g.op('Add', [x, y]));
  const add = await sums({ ...LARGE, operators: LARGE_CHAIN });
  const short = await sums({ ...SMALL, operators: CHAIN });
  const long = await sums({ ...SMALL, operators: LONG_CHAIN });
  const erf = await chainSeconds(folder, threads, { ...LARGE, operators: LARGE_CHAIN }, (g, x) =>
    g.op('Erf', [x]),
  );
  // Each sum reads two values and writes one.
  const bytesPerSecond = (4 * values * (3 * LARGE_CHAIN + ENDS)) / add;
  const ends = (4 * values * ENDS) / bytesPerSecond;
  return {
    at: Date.now(),
    threads,
    gflops: product.typical,
    int8Gflops: (2e-9 * INT8.rows * INT8.width ** 2) / (await int8Seconds(folder, threads)),
    widened: {
      blocks: (WIDENED.rows * WIDENED.columns) / (await wideningSeconds(folder, threads, 'blocks')),
      columns: (WIDENED.rows * WIDENED.columns) / (await wideningSeconds(folder, threads, 'columns')),
    },
    bytesPerSecond,
    functionsPerSecond: (LARGE_CHAIN * values) / Math.max(erf - ends, erf / 2),
    // The time of a run besides its operators is equal for both.
    secondsPerNode: Math.max(0, long - short) / (LONG_CHAIN - CHAIN),
  };
}

/** Seconds for a chain of one operator, of the median run. */
async function chainSeconds(
  folder: string,
  threads: number,
  { rows, columns, operators }: Chain,
  step: (g: GraphBuilder, x: string, first: string) => string,
): Promise<number> {
  const model = emptyModel('chain');
  const g = new GraphBuilder(model.graph, '/chain');
  const first = g.addInput('x', DType.float, ['rows', columns]);
  let x = g.op('Neg', [first]);
  for (let i = 0; i < operators; i++) x = step(g, x, first);
  const axis = g.ints([1]);
  g.addOutput(g.op('ReduceMax', [x, axis], { keepdims: 1 }, { outputs: ['y'] }));
  const infos = await probe(model, folder);
  const spec = { objective: 'mse' as const, output: 'y', adapters: [] };
  const evaluator = await openEvaluator(model, infos, spec, folder, { place: CPU, threads });
  try {
    const inputs: HostTensors = {
      x: { dtype: DType.float, dims: [rows, columns], data: new Float32Array(rows * columns).fill(0.01) },
      [LABELS]: { dtype: DType.float, dims: [rows], data: new Float32Array(rows) },
    };
    const rate = await rateOf(SECONDS, () => evaluator.evaluate(inputs, new Map()));
    return rate.median;
  } finally {
    await evaluator.dispose();
  }
}

/** A product of rounded rows and a weight in int8. */
function int8Seconds(folder: string, threads: number): Promise<number> {
  const { rows, width } = INT8;
  const weight = (g: GraphBuilder) =>
    stored(g, DType.int8, [width, width], new Uint8Array(width * width).fill(3));
  const feeds: HostTensors = {
    x: { dtype: DType.uint8, dims: [rows, width], data: new Uint8Array(rows * width).fill(100) },
    scale: { dtype: DType.float, dims: [width], data: new Float32Array(width).fill(1) },
  };
  return nodeSeconds(folder, threads, feeds, (g) => {
    const factors = ['x', weight(g), g.scalar(1, DType.float), 'scale', g.scalar(128, DType.uint8)];
    return g.op('MatMulIntegerToFloat', factors, {}, { domain: 'com.microsoft' });
  });
}

/** A weight of 4 bits in blocks, or of 8 with a scale for each column. */
function wideningSeconds(folder: string, threads: number, form: 'blocks' | 'columns'): Promise<number> {
  const { rows, columns, block } = WIDENED;
  const scales = form === 'blocks' ? [rows, columns / block] : [columns];
  const count = scales.reduce((a, b) => a * b, 1);
  // As an input: the runtime would compute the node once if all it reads were constants.
  const feeds: HostTensors = {
    scale: { dtype: DType.float, dims: scales, data: new Float32Array(count).fill(1) },
  };
  return nodeSeconds(folder, threads, feeds, (g) => {
    if (form === 'columns') {
      const weight = stored(g, DType.int8, [rows, columns], new Uint8Array(rows * columns).fill(3));
      return g.op('DequantizeLinear', [weight, 'scale'], { axis: 1 });
    }
    const weight = stored(g, DType.uint4, [rows, columns], new Uint8Array((rows * columns) / 2).fill(0x73));
    return g.op('DequantizeLinear', [weight, 'scale'], { axis: 1, block_size: block });
  });
}

const stored = (g: GraphBuilder, dtype: number, dims: number[], data: Uint8Array): string =>
  g.addInitializer({ name: 'w', dtype, dims, data });

/** Seconds of a node in the median run; one number of its result is read. */
async function nodeSeconds(
  folder: string,
  threads: number,
  feeds: HostTensors,
  node: (g: GraphBuilder) => string,
): Promise<number> {
  const model = emptyModel('node');
  const g = new GraphBuilder(model.graph, '/node');
  for (const [name, { dtype, dims }] of Object.entries(feeds)) g.addInput(name, dtype, dims);
  const corner = g.op('Slice', [node(g), g.ints([0, 0]), g.ints([1, 1])]);
  g.addOutput(corner);
  const opened = await openForward(model, [corner], folder, { place: CPU, threads });
  try {
    return (await rateOf(SECONDS, () => opened.run(feeds))).median;
  } finally {
    await opened.dispose();
  }
}

const emptyModel = (name: string): Model => ({
  irVersion: INTERNAL_IR_VERSION,
  producer: 'aurora-lab',
  opsets: new Map([
    ['', INTERNAL_OPSET],
    ['com.microsoft', 1],
  ]),
  graph: { name, nodes: [], initializers: new Map(), inputs: [], outputs: [] },
  metadata: new Map(),
});
