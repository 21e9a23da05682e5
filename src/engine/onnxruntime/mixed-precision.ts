import { join } from 'node:path';
import { DType } from '../../graph/dtype';
import { GraphBuilder } from '../../graph/builder';
import { INTERNAL_IR_VERSION, INTERNAL_OPSET, type Graph, type Model } from '../../graph/model';
import { encodeModel } from '../../graph/onnx/encode';
import {
  halvableWeights,
  withHalfWeights,
  writeHalfWeights,
  type HalvedWeights,
} from '../../graph/passes/half-weights';
import { AuroraError } from '../../base/errors';
import { openSession, type SessionOptions } from './session';

export interface MixedPrecision {
  /** A graph of the task with its frozen weights in float16; forward and backward graphs share them. */
  apply(model: Model): Model;
  /** The parts that do not become faster or smaller, and the reasons, in full sentences. */
  warnings: string[];
}

/**
 * Writes float16 copies of a step graph's weights into a file next to it.
 *
 * @param own the user's graph that the step graph was made from
 * @throws AuroraError 'device' if the device lacks float16
 */
export async function mixedPrecision(
  step: Model,
  own: Graph,
  folder: string,
  session: SessionOptions,
): Promise<MixedPrecision> {
  await requireHalf(session);
  const weights = halvableWeights(step.graph, own);
  const { halves, kept } = writeHalfWeights(weights, join(folder, 'weights.float16'));
  return {
    apply: (model) => withHalfWeights(model, halves),
    warnings: [
      ...(session.device === undefined || session.device === 'cpu' ? [NO_GAIN_ON_CPU] : []),
      ...(halves.size === 0 ? [NOTHING_TO_HALVE] : []),
      ...keptWarnings(kept),
    ],
  };
}

/** Measured in docs/studies/mixed-precision.md. */
const NO_GAIN_ON_CPU =
  'Mixed precision has no benefit on the CPU, which computes in float32 anyway: a step takes as long, and up to ' +
  '1.7 times the memory. It is for GPUs with float16.';

const NOTHING_TO_HALVE =
  'Mixed precision has no effect on this model: it has no frozen weight that only matrix products read.';

function keptWarnings(kept: HalvedWeights['kept']): string[] {
  const names = (why: string) => [...kept].filter(([, w]) => w === why).map(([name]) => name);
  const list = (all: string[]) =>
    all.length > 3 ? `${all.slice(0, 3).join(', ')} and ${all.length - 3} more` : all.join(', ');
  const [large, small] = [names('too large'), names('too small')];
  return [
    ...(large.length
      ? [`These weights stay in float32, because they contain values above float16's 65,504: ${list(large)}.`]
      : []),
    ...(small.length
      ? [
          `These weights stay in float32, because their values are too small for float16's precision: ${list(small)}.`,
        ]
      : []),
  ];
}

/**
 * Runs the smallest float16 product on the device: drivers and runtimes report missing support in different ways.
 *
 * @throws AuroraError 'device'
 */
export async function requireHalf(options: SessionOptions): Promise<void> {
  const graph: Graph = { name: 'half', nodes: [], initializers: new Map(), inputs: [], outputs: [] };
  const g = new GraphBuilder(graph, '/half');
  const x = g.op('Cast', [g.addInput('x', DType.float, [1, 1])], { to: DType.float16 });
  g.addOutput(g.op('Cast', [g.op('MatMul', [x, x])], { to: DType.float }));
  const model: Model = {
    irVersion: INTERNAL_IR_VERSION,
    producer: 'aurora-lab',
    opsets: new Map([['', INTERNAL_OPSET]]),
    graph,
    metadata: new Map(),
  };
  let product: number;
  try {
    const session = await openSession(encodeModel(model), options);
    try {
      const x = { dtype: DType.float, dims: [1, 1], data: Float32Array.of(3) };
      product = Number((await session.run({ x }))[graph.outputs[0].name].data[0]);
    } finally {
      await session.dispose();
    }
  } catch (e) {
    if (!/f16|float16|half/i.test(messages(e))) throw e;
    throw noHalf(options, e);
  }
  if (product !== 9) throw noHalf(options);
}

const messages = (e: unknown): string =>
  e instanceof Error ? `${e.message} ${messages(e.cause)}` : String(e ?? '');

const noHalf = ({ device = 'cpu' }: SessionOptions, cause?: unknown): AuroraError =>
  new AuroraError(
    'device',
    `Mixed precision needs float16, which this machine's ${device} device does not support.`,
    'Set training.precision to "float32".',
    { cause },
  );
