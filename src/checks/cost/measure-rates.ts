import { openEvaluator } from '../../engine/open-task';
import { probe } from '../../engine/onnxruntime/probe';
import type { Place } from '../../engine/place';
import { GraphBuilder } from '../../graph/builder';
import { DType } from '../../graph/dtype';
import type { HostTensors } from '../../graph/tensor-infos';
import { INTERNAL_OPSET, type Model } from '../../graph/model';
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

/**
 * Measures products of matrices, elementwise sums, erf and the start of an operator, for about two seconds in all, each by
 * the median of many short runs, so that it hardly matters if some are interrupted. Runs in a child process.
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
  const model: Model = {
    irVersion: 10,
    producer: 'aurora-lab',
    opsets: new Map([['', INTERNAL_OPSET]]),
    graph: { name: 'chain', nodes: [], initializers: new Map(), inputs: [], outputs: [] },
    metadata: new Map(),
  };
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
