import { AURORA_DEFAULTS } from '../../adapters/methods/aurora';
import { selectAdapters } from '../../adapters/targets/select';
import { probe } from '../../engine/onnxruntime/probe';
import { openEvaluator, openTask } from '../../engine/open-task';
import type { Place } from '../../engine/place';
import type { Evaluator } from '../../engine/stepper';
import type { AuroraSpec } from '../../experiment/methods';
import { GraphBuilder } from '../../graph/builder';
import { DType } from '../../graph/dtype';
import { findLinearLayers } from '../../graph/layers/linear';
import { INTERNAL_IR_VERSION, INTERNAL_OPSET, type Model } from '../../graph/model';
import { prepareModel } from '../../graph/prepare';
import type { HostTensors } from '../../graph/tensor-infos';
import { tensorOf } from '../../graph/values';
import { HEAD_BIAS, HEAD_WEIGHT } from '../../tasks/head';
import { LABELS } from '../../tasks/task-graph';
import { median } from '../../training/loop/sample';
import { AdamW } from '../../training/optimizer/optimizer';
import { initialAdapters, initialHead } from '../../training/task/initialize';
import { encoderModel } from './encoder';

/** The adapter for step timings in the doctor and the benchmarks: the paper's setting. */
export const TIMED_ADAPTER: AuroraSpec = { ...AURORA_DEFAULTS, targetModules: ['query', 'value'] };

export interface Rate {
  /** Runs per second, and the measured time in seconds. */
  perSecond: number;
  seconds: number;
  /** Seconds of the median run: a program that interrupts some of them does not count. */
  median: number;
}

const CLASSES = 4;

/** Large enough to keep a GPU busy, small enough for a CPU. */
const ENCODER = { layers: 4, hidden: 256, heads: 4, feedForward: 1024, vocabulary: 4096, positions: 64 };
const BATCH = { batch: 8, length: 64 };

export const STEP_WORDS = `${ENCODER.layers} layers × ${ENCODER.hidden}, batch ${BATCH.batch} × ${BATCH.length} tokens, AuroRA r=${TIMED_ADAPTER.rank}`;

/** Complete training steps (forward, backward, AdamW) of a small encoder, using the training code. */
export async function stepRate(
  place: Place,
  folder: string,
  threads: number,
  seconds: number,
  onRun?: () => void,
): Promise<Rate> {
  const model = prepareModel(encoderModel(ENCODER));
  const { hidden, vocabulary } = ENCODER;
  const { batch, length } = BATCH;
  const infos = await probe(model, folder);
  const { adapters } = selectAdapters(model.graph, findLinearLayers(model.graph), TIMED_ADAPTER);
  const head = { pooling: 'mean' as const, classes: CLASSES, weight: HEAD_WEIGHT, bias: HEAD_BIAS };
  const spec = { objective: 'cross-entropy' as const, head, output: 'last_hidden_state', adapters };
  const { stepper } = await openTask(model, infos, spec, folder, { place, threads });
  try {
    const parameters = new Map([...initialAdapters(adapters, 0), ...initialHead(CLASSES, hidden, 0)]);
    const optimizer = new AdamW([{ names: [...parameters.keys()], lr: 1e-3, weightDecay: 0 }], {
      betas: [0.9, 0.999],
      epsilon: 1e-8,
    });
    const inputs: HostTensors = {
      input_ids: integers([batch, length], (i) => (i * 7919) % vocabulary),
      attention_mask: integers([batch, length], () => 1),
      [LABELS]: integers([batch], (i) => i % CLASSES),
    };
    return await rateOf(seconds, async () => {
      const { gradients } = await stepper.step(inputs, parameters, 1 / batch);
      optimizer.step(parameters, gradients, 1);
      onRun?.();
    });
  } finally {
    await stepper.dispose();
  }
}

/** Chained products, so that feeding and fetching hardly matter. */
const PRODUCTS = 8;
const SIZES = [256, 512, 1024, 2048];
/** Long enough that the kernel launch does not count. */
const BUSY_SECONDS = 0.05;

/**
 * Billions of float32 operations per second in products of square matrices, on average and in the median run, at the
 * smallest size that keeps the device busy.
 */
export async function matmulRate(
  place: Place,
  folder: string,
  threads: number,
  seconds: number,
  onRun?: () => void,
): Promise<{ gflops: number; typical: number; size: number; seconds: number }> {
  for (const size of SIZES) {
    const evaluator = await openProducts(size, place, folder, threads);
    try {
      const inputs: HostTensors = {
        x: { dtype: DType.float, dims: [size, size], data: new Float32Array(size * size).fill(1 / size) },
        [LABELS]: { dtype: DType.float, dims: [size], data: new Float32Array(size) },
      };
      const run = async () => {
        await evaluator.evaluate(inputs, new Map());
        onRun?.();
      };
      await run();
      const began = performance.now();
      await run();
      if (performance.now() - began < BUSY_SECONDS * 1000 && size !== SIZES.at(-1)) continue;
      const rate = await rateOf(seconds, run);
      const each = (PRODUCTS * 2 * size ** 3) / 1e9;
      return { gflops: rate.perSecond * each, typical: each / rate.median, size, seconds: rate.seconds };
    } finally {
      await evaluator.dispose();
    }
  }
  throw new Error('The last size always counts.');
}

async function openProducts(size: number, place: Place, folder: string, threads: number): Promise<Evaluator> {
  const model: Model = {
    irVersion: INTERNAL_IR_VERSION,
    producer: 'aurora-lab',
    opsets: new Map([['', INTERNAL_OPSET]]),
    graph: { name: 'products', nodes: [], initializers: new Map(), inputs: [], outputs: [] },
    metadata: new Map(),
  };
  const g = new GraphBuilder(model.graph, '/products');
  const weights = new Float32Array(size * size).fill(1 / size);
  let x = g.addInput('x', DType.float, ['rows', size]);
  for (let i = 0; i < PRODUCTS; i++)
    x = g.op('MatMul', [x, g.addInitializer(tensorOf(`w${i}`, DType.float, [size, size], weights))]);
  g.addOutput(g.op('Identity', [x], {}, { outputs: ['y'] }));
  const infos = await probe(model, folder);
  return openEvaluator(model, infos, { objective: 'mse', output: 'y', adapters: [] }, folder, {
    place,
    threads,
  });
}

/** A device whose single run takes this many times the given time is so slow that another would only cost time. */
const SLOW = 5;

/** Runs for the given seconds after one uncounted run, and at least twice unless one run takes far longer. */
export async function rateOf(seconds: number, run: () => Promise<unknown>): Promise<Rate> {
  await run();
  const began = performance.now();
  let runs = 0;
  let spent = 0;
  const each: number[] = [];
  while (spent < seconds || (runs < 2 && spent < SLOW * seconds)) {
    await run();
    runs++;
    const now = (performance.now() - began) / 1000;
    each.push(now - spent);
    spent = now;
  }
  return { perSecond: runs / spent, seconds: spent, median: median(each) };
}

const integers = (dims: number[], value: (i: number) => number) => ({
  dtype: DType.int64,
  dims,
  data: BigInt64Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => BigInt(value(i))),
});
