import { openEvaluator } from '../../engine/open';
import { probe } from '../../engine/onnxruntime/probe';
import type { Place } from '../../engine/place';
import { GraphBuilder } from '../../graph/builder';
import { DType } from '../../graph/dtype';
import type { HostTensors } from '../../graph/host-tensor';
import { INTERNAL_OPSET, type Model } from '../../graph/model';
import type { MachineRates } from '../../protocol/step-cost';
import { LABELS } from '../../tasks/task-graph';
import { matmulRate, rateOf } from '../doctor/rates';

const CPU: Place = { engine: 'onnxruntime', device: 'cpu' };
const SECONDS = 0.4;
/** Rows and columns of what operators are applied to: the inner layer of a base model for 1024 tokens. */
const SIZE = [1024, 3072];
/** Operators in a row, so that feeding and fetching hardly matter. */
const CHAIN = 16;

/** Measures products of matrices, elementwise sums and erf, for about a second in all. Runs in a child process. */
export async function measureRates(folder: string, threads: number): Promise<MachineRates> {
  const product = await matmulRate(CPU, folder, threads, SECONDS);
  const values = SIZE[0] * SIZE[1];
  const add = await chainSeconds(folder, threads, (g, x, y) => g.op('Add', [x, y]));
  const erf = await chainSeconds(folder, threads, (g, x) => g.op('Erf', [x]));
  return {
    at: Date.now(),
    threads,
    gflops: product.gflops,
    // Two are read and one is written.
    bytesPerSecond: (CHAIN * 3 * 4 * values) / add,
    functionsPerSecond: (CHAIN * values) / erf,
  };
}

/** Seconds for a chain of one operator. */
async function chainSeconds(
  folder: string,
  threads: number,
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
  const first = g.addInput('x', DType.float, ['rows', SIZE[1]]);
  let x = g.op('Neg', [first]);
  for (let i = 0; i < CHAIN; i++) x = step(g, x, first);
  const axis = g.ints([1]);
  g.addOutput(g.op('ReduceMax', [x, axis], { keepdims: 1 }, { outputs: ['y'] }));
  const infos = await probe(model, folder);
  const spec = { objective: 'mse' as const, output: 'y', adapters: [] };
  const evaluator = await openEvaluator(model, infos, spec, folder, { place: CPU, threads });
  try {
    const inputs: HostTensors = {
      x: { dtype: DType.float, dims: SIZE, data: new Float32Array(SIZE[0] * SIZE[1]).fill(0.01) },
      [LABELS]: { dtype: DType.float, dims: [SIZE[0]], data: new Float32Array(SIZE[0]) },
    };
    const rate = await rateOf(SECONDS, () => evaluator.evaluate(inputs, new Map()));
    return 1 / rate.perSecond;
  } finally {
    await evaluator.dispose();
  }
}
