import { env, InferenceSession, Tensor } from 'onnxruntime-node';
import { AuroraError } from '../../base/errors';
import { nameTable } from '../../base/names';
import { DType } from '../../graph/dtype';
import type { NumberArray } from '../../graph/values';
import type { OrtDevice } from '../place';
import type { Executable, HostTensor, HostTensors } from '../stepper';
import { deviceError, memoryError, saysOutOfMemory } from './device-errors';

export interface SessionOptions {
  /** The CPU by default. */
  device?: OrtDevice;
  /** Intra-op threads; the runtime's choice (one per core) by default. */
  threads?: number;
  /**
   * 'disabled' for probing: every tensor stays visible. 'products': only the optimizers that help a graph of plain
   * operators, which opens in half the time (12-layer encoder with its backward pass) and steps as fast.
   */
  optimization?: 'disabled' | 'products' | 'all';
  /** True for a graph in blocks, where some of the runtime's optimizers fail. */
  inBlocks?: boolean;
  /**
   * Prepacks weights for the CPU's products once, not in each run. Worth a copy of those in float32 if one session runs short
   * inputs repeatedly (1.7 times the tokens per second on a 6-layer GPT-2); those in int8 are packed instead of copied.
   */
  prepack?: boolean;
  /** Writes the runtime's profile of all runs to a file with this path prefix, on dispose. */
  profile?: string;
  /** Fail to open if any node would run on a device other than the requested one. */
  onlyDevice?: boolean;
}

export interface OrtSession extends Executable {
  /** Element types of the outputs; undefined for anything but a tensor. */
  outputTypes: ReadonlyMap<string, number | undefined>;
}

const ORT_TYPE: Record<number, Tensor.Type> = {
  [DType.float]: 'float32',
  [DType.double]: 'float64',
  [DType.int32]: 'int32',
  [DType.int64]: 'int64',
  [DType.uint8]: 'uint8',
  [DType.int8]: 'int8',
  [DType.uint16]: 'uint16',
  [DType.int16]: 'int16',
  [DType.uint32]: 'uint32',
  [DType.uint64]: 'uint64',
  [DType.bool]: 'bool',
  [DType.float16]: 'float16',
};
const DTYPE = Object.fromEntries(Object.entries(ORT_TYPE).map(([code, name]) => [name, Number(code)]));

/** It moves the rounding of a forward pass into the backward pass, where the types no longer fit (1.30). */
const MISTAKEN = ['QDQPropagationTransformer'];
/**
 * It finds dequantized weights outside of a block, but then looks for them only in it, and refuses the model (1.30). They are
 * multiplied in float32 without it.
 */
const MISTAKEN_IN_BLOCKS = 'QDQSelectorActionTransformer';
/**
 * Their changes of a step's graph gain nothing, but each looks through the whole of it several times. The others fold
 * constants, drop nodes without effect, and take transposes and factors into products.
 */
const WITHOUT_GAIN = (
  'AttentionFusion BiasDropoutFusion BiasGeluFusion BiasSkipLayerNormFusion BiasSoftmaxFusion CommonSubexpressionElimination ' +
  'ConstantSharing ConvActivationFusion ConvAddActivationFusion DoubleQDQPairsRemover DynamicQuantizeMatMulFusion ' +
  'EmbedLayerNormFusion EnsureUniqueDQForNodeUnit FastGeluFusion GatherSliceToSplitFusion GatherToSliceFusion GeluFusionL1 ' +
  'GeluFusionL2 GemmActivationFusion GroupQueryAttentionFusion GroupQueryAttentionPreNormFusion LabelEncoderFusion ' +
  'LayerNormFusionL1 LayerNormFusionL2 MatMulActivationFusion MatMulAddFusion MatMulIntegerToFloatFusion MatMulNBitsFusion ' +
  'MatMulNBitsMlpFusion MatMulNBitsQkvFusion MatMul_BatchNormalization_Fusion NchwcTransformer NhwcTransformer Pad_Fusion ' +
  'QDQFinalCleanupTransformer QDQS8ToU8Transformer QDQSelectorActionTransformer QuickGeluFusion ReshapeFusion ' +
  'SimplifiedLayerNormFusion SkipLayerNormFusion TransposeOptimizer WeightBiasQuantization'
).split(' ');
/** With fixed shapes, this optimizer drops the deviation output that the backward pass reads. */
const MISTAKEN_ON_GPU = 'SkipLayerNormFusion';

/**
 * From Node 24 on, onnxruntime-common wraps float16 data in the new Float16Array, which its native half cannot read. It
 * searches for the class once, at the first tensor: if hidden at that moment, the data stay as bits.
 */
function keepHalfAsBits(): void {
  const globals = globalThis as { Float16Array?: unknown };
  const hidden = globals.Float16Array;
  if (!hidden) return;
  globals.Float16Array = undefined;
  new Tensor('float32', new Float32Array(1), [1]);
  globals.Float16Array = hidden;
}
keepHalfAsBits();

// Errors are thrown; the error stream would only repeat them in the runtime's wording.
env.logLevel = 'fatal';

/**
 * A session from a file (weights by reference) or from bytes. Memory patterns and, unless requested, prepacking are
 * off: together they cost 40% of the peak memory and save no time (measured on 6- and 12-layer encoders).
 */
export async function openSession(
  model: string | Uint8Array,
  options: SessionOptions = {},
): Promise<OrtSession> {
  const device = options.device ?? 'cpu';
  // Otherwise NVIDIA's libraries round the factors of a matrix product to 10 bits, as no other device does.
  if (device === 'cuda') process.env.NVIDIA_TF32_OVERRIDE ??= '0';
  const settings: InferenceSession.SessionOptions = {
    executionProviders: [device],
    intraOpNumThreads: options.threads ?? 0,
    graphOptimizationLevel: options.optimization === 'disabled' ? 'disabled' : 'all',
    enableMemPattern: false,
    logSeverityLevel: 4,
    extra: {
      session: {
        disable_prepacking: options.prepack ? '0' : '1',
        // Quantized weights stay as small as they are in the file.
        disable_qdq_constant_folding: '1',
        // Otherwise a product with a dequantized weight rounds its other factor to 8 bits, too, if weights are packed.
        qdq_matmulnbits_accuracy_level: '1',
        ...(options.onlyDevice ? { disable_cpu_ep_fallback: '1' } : {}),
      },
      optimization: {
        disable_specified_optimizers: [
          ...MISTAKEN,
          ...(device === 'cpu' ? [] : [MISTAKEN_ON_GPU]),
          ...(options.inBlocks ? [MISTAKEN_IN_BLOCKS] : []),
          ...(options.optimization === 'products' ? WITHOUT_GAIN : []),
        ].join(';'),
      },
    },
    ...(options.profile ? { enableProfiling: true, profileFilePrefix: options.profile } : {}),
  };
  const opening =
    typeof model === 'string'
      ? InferenceSession.create(model, settings)
      : InferenceSession.create(model, settings);
  const session = await opening.catch((e: Error) => {
    throw ofDevice(device, e) ?? e;
  });
  return {
    outputTypes: new Map(
      session.outputMetadata.map((o) => [o.name, o.isTensor ? DTYPE[o.type] : undefined] as const),
    ),
    async run(feeds, fetches) {
      const given = nameTable(Object.entries(feeds).map(([name, t]) => [name, toOrt(t)] as const));
      const running = fetches ? session.run(given, [...fetches]) : session.run(given);
      const results = await running.catch((e: Error) => {
        throw ofDevice(device, e) ?? doesNotRun(feeds, e);
      });
      const out: HostTensors = nameTable();
      for (const [name, t] of Object.entries(results)) out[name] = fromOrt(t as Tensor);
      return out;
    },
    async dispose() {
      if (options.profile) session.endProfiling();
      await session.release();
    },
  };
}

const ofDevice = (device: OrtDevice, e: Error): AuroraError | undefined =>
  saysOutOfMemory(e.message) ? memoryError(device, e) : deviceError(device, e);

/** The model's own inputs come first in a graph; listing the ones we add would not help the user. */
function doesNotRun(feeds: HostTensors, cause: Error): AuroraError {
  const shapes = Object.entries(feeds).map(([name, t]) => `${name} [${t.dims.join(', ')}]`);
  // Source locations in the runtime do not help the user.
  const why = cause.message
    .replace(/\S+:\d+ [^()]*onnxruntime::[^()]*\([^()]*\) /, '')
    .replace(/[.\s]+$/, '');
  const shown = shapes.length > 3 ? [...shapes.slice(0, 3), '…'] : shapes;
  return new AuroraError(
    'model',
    `The model failed to run on ${shown.join(', ')}: ${why}.`,
    'If that is more tokens than the model has positions for, lower model.maxLength. Otherwise, check that it runs in ONNX Runtime.',
    { cause },
  );
}

const toOrt = (t: HostTensor): Tensor => new Tensor(ORT_TYPE[t.dtype], t.data as never, t.dims);

const fromOrt = (t: Tensor): HostTensor => ({
  dtype: DTYPE[t.type],
  dims: [...t.dims],
  data: t.data as unknown as NumberArray,
});

export const runtimeVersion = (): string => `onnxruntime-node ${env.versions.node}`;

/**
 * The sessions of one model. Each maps the weights for itself, and the memory of a process counts what each of them has
 * read: those of a large model take turns, so that its weights are there once. Each is opened when it is to run, and
 * stays open until another one runs.
 */
export class Turns {
  private open: { path: string; session: Executable } | undefined;

  /** @param alone true if only one of them may be open */
  constructor(private readonly alone: boolean) {}

  /** @param path of a graph with its weights by reference */
  async session(path: string, options: SessionOptions): Promise<Executable> {
    if (!this.alone) return openSession(path, options);
    const taken = async (): Promise<Executable> => {
      if (this.open?.path !== path) {
        await this.close();
        this.open = { path, session: await openSession(path, options) };
      }
      return this.open.session;
    };
    return {
      run: async (feeds, fetches) => (await taken()).run(feeds, fetches),
      dispose: async () => {
        if (this.open?.path === path) await this.close();
      },
    };
  }

  private async close(): Promise<void> {
    const { open } = this;
    this.open = undefined;
    await open?.session.dispose();
  }
}
