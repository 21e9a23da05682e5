import { AuroraError } from '../../base/errors';
import { nameTable, own } from '../../base/names';
import { discard } from '../../files/atomic';
import { stillOwned } from '../../files/fence';
import { attrInt } from '../../graph/attributes';
import { DType } from '../../graph/dtype';
import { saveByReference, weightBytes } from '../../graph/file/save';
import { columnProducts } from '../../graph/int8/column-products';
import { columnWeights } from '../../graph/int8/frozen-products';
import type { Model, Node } from '../../graph/model';
import { isInBlocks } from '../../graph/passes/in-blocks';
import type { TensorInfos } from '../../graph/tensor-infos';
import { atLabelRows } from '../../tasks/label-rows';
import { buildTaskGraph, requireTrainable, type TaskGraph, type TaskGraphSpec } from '../../tasks/task-graph';
import type { OrtDevice } from '../place';
import type {
  Evaluator,
  EvaluatorOptions,
  Executable,
  HostTensor,
  HostTensors,
  JudgedBatch,
  OpenedTask,
  Parameters,
  Stepper,
  TaskOptions,
} from '../stepper';
import { deviceFeeds, deviceGraph, type GraphKind } from './device-graph';
import { int8Step, type Judge, largestActivation } from './int8-step';
import { mixedPrecision, type MixedPrecision } from './mixed-precision';
import { openSession, type SessionOptions, Turns } from './session';
import { GRAD_SCALE, LARGE_MODEL } from './step-constants';
import { trainingGraph } from './training-graph';

/**
 * Prepares a task on ONNX Runtime: one session for forward and backward together, one for evaluation, both using the
 * weights in the user's file; those of a large model take turns.
 *
 * @param model at the internal opset
 * @param infos shapes of its tensors, from a probe
 * @param folder for the step graphs; on the model's file system if possible, removed on dispose
 */
export async function openTask(
  model: Model,
  infos: TensorInfos,
  spec: TaskGraphSpec,
  folder: string,
  options: TaskOptions = {},
): Promise<OpenedTask> {
  const task = buildTaskGraph(model, infos, spec, true, true);
  requireTrainable(task);
  const on = sessionOptions(options);
  const { precision, judgedBatch } = options;
  if (precision === 'int8') requireCpu(on);
  const frozen = precision === 'int8' ? model.graph : undefined;
  const { model: stepModel, gradients, warnings } = await trainingGraph(task, folder, options, frozen);
  const mixed = precision === 'mixed' ? await mixedPrecision(stepModel, model.graph, folder, on) : undefined;
  const judge = judgedBatch && (await judgeOn(await judgedBatch(), task, gradients, folder, on, options));
  const int8 =
    precision === 'int8' ? await int8Step(stepModel, folder, on, judge, options.transposed?.()) : undefined;
  const stepped = mixed ? mixed.apply(stepModel) : (int8?.model ?? stepModel);
  const graph = deviceGraph(stepped, on.device, kindOf(options));
  const turns = turnsOf(model, on);
  const stepsOn = { ...forSteps(stepped, on), prepack: int8 !== undefined && packs(graph) };
  const session = await turns.session(
    saveByReference(graph, folder, 'step.onnx'),
    optionsFor(graph, stepsOn),
  );
  const evaluator = await evaluatorOf(model, infos, spec, folder, on, turns, mixed).catch(async (e) => {
    // It holds device memory, which a fallback to another device may need.
    await session.dispose();
    throw e;
  });
  const fetches = [task.lossSum, task.count, ...gradients.values()];
  const stepper: Stepper = {
    async step(batch, parameters, gradScale) {
      const all = stepFeeds(task, batch, parameters, gradScale);
      const out = await session.run(deviceFeeds(graph, all), fetches);
      return {
        lossSum: Number(out[task.lossSum].data[0]),
        count: Number(out[task.count].data[0]),
        gradients: new Map([...gradients].map(([name, tensor]) => [name, out[tensor].data as Float32Array])),
      };
    },
    evaluate: evaluator.evaluate,
    atLabels: task.ahead !== undefined,
    openGraph: evaluator.openGraph,
    async dispose() {
      await session.dispose();
      await evaluator.dispose();
    },
  };
  const told = [...warnings, ...(mixed?.warnings ?? []), ...(int8?.warnings ?? [])];
  return { stepper, trainable: task.trainable, warnings: told };
}

const kindOf = ({ gradientCheckpointing }: TaskOptions): GraphKind =>
  gradientCheckpointing ? 'checkpointed-step' : 'step';

/** Only the forward half of a task; also for a merged model, which has no adapters left. */
export function openEvaluator(
  model: Model,
  infos: TensorInfos,
  spec: TaskGraphSpec,
  folder: string,
  options: EvaluatorOptions = {},
): Promise<Evaluator> {
  const on = sessionOptions(options);
  return evaluatorOf(model, infos, spec, folder, on, turnsOf(model, on));
}

type On = SessionOptions & { device: OrtDevice };

/** On the CPU, where weights are mapped; to another device, they would be copied at each turn. */
const turnsOf = ({ graph }: Model, { device }: On): Turns =>
  new Turns(device === 'cpu' && weightBytes(graph) >= LARGE_MODEL);

/** @param mixed the way its graph gets weights in float16 */
async function evaluatorOf(
  model: Model,
  infos: TensorInfos,
  spec: TaskGraphSpec,
  folder: string,
  on: On,
  turns: Turns,
  mixed?: MixedPrecision,
): Promise<Evaluator> {
  const task = buildTaskGraph(model, infos, spec, false);
  const integers = await inIntegers(model, on);
  const graph = deviceGraph(mixed ? mixed.apply(task.model) : integers(task.model), on.device);
  const session = await turns.session(saveByReference(graph, folder, 'evaluate.onnx'), optionsFor(graph, on));
  return {
    async evaluate(inputs, parameters, observe = false) {
      const seen = observe ? [...task.observed.values()].flat() : [];
      const out = await session.run(deviceFeeds(graph, feeds(task, inputs, parameters)), [
        task.lossSum,
        task.count,
        task.logits,
        ...seen,
      ]);
      const observed = observe
        ? [...task.observed].map(([path, z]) => [path, z.map((n) => out[n])] as const)
        : [];
      return {
        lossSum: Number(out[task.lossSum].data[0]),
        count: Number(out[task.count].data[0]),
        logits: out[task.logits],
        observed: new Map(observed),
      };
    },
    // The copies in float16 are those of the step's graph.
    ...(!mixed && {
      async openGraph(other: Model, name: string): Promise<Executable> {
        const own = deviceGraph(integers(other), on.device);
        const opened = await turns.session(saveByReference(own, folder, name), optionsFor(own, on));
        return {
          run: (inputs, fetches) => opened.run(deviceFeeds(own, inputs), fetches),
          dispose: () => opened.dispose(),
        };
      },
    }),
    async dispose() {
      await session.dispose();
      // If another process has taken over the run, the folder belongs to that process.
      if (stillOwned(folder)) discard(folder);
    },
  };
}

/**
 * The way in which graphs of a model multiply its weights in int8 columns, on the CPU.
 *
 * @param model at the internal opset
 */
async function inIntegers({ graph }: Model, on: On): Promise<(model: Model) => Model> {
  if (on.device !== 'cpu' || columnWeights(graph).size === 0) return (model) => model;
  const largest = await largestActivation(on);
  return (model) => columnProducts(model, largest);
}

/**
 * True if the runtime's other optimizations make a node faster: convolutions, and products with quantized weights in forms that
 * it fuses. Weights of few bits in blocks gain nothing, and with 32 layers, a step on them opens in half the time without.
 */
const isOptimized = (node: Node): boolean =>
  node.opType === 'Conv' ||
  node.opType === 'ConvTranspose' ||
  (node.opType === 'DequantizeLinear' && attrInt(node, 'block_size', 0) === 0);

const forSteps = ({ graph }: Model, on: On): SessionOptions => {
  const gains = on.device !== 'cpu' || graph.nodes.some(isOptimized);
  return { ...on, optimization: gains ? 'all' : 'products' };
};

/** @param graph as it is opened */
const optionsFor = ({ graph }: Model, on: SessionOptions): SessionOptions => ({
  ...on,
  inBlocks: isInBlocks(graph),
});

/**
 * True if weights in int8 are packed when a step's graph opens: 0.94 times the time of a step. Each is read by one
 * product, and the runtime closes its mapping, so memory stays the same; but packed weights cannot be read from the
 * file again, which a large model may need.
 */
const packs = ({ graph }: Model): boolean => weightBytes(graph) < LARGE_MODEL;

/** ONNX Runtime has these products of integers for the CPU alone. */
function requireCpu({ device }: On): void {
  if (device !== 'cpu')
    throw new AuroraError(
      'device',
      `training.precision "int8" is for the CPU, and this run is on ${device}.`,
      'Train on the CPU: --device cpu, or the setting aurora.device. Or set training.precision to "float32" or "mixed".',
    );
}

/** Runs graphs on a batch before there is a session for steps. */
async function judgeOn(
  { inputs, parameters, searchSteps, original }: JudgedBatch,
  task: TaskGraph,
  gradients: ReadonlyMap<string, string>,
  folder: string,
  on: On,
  options: TaskOptions,
): Promise<Judge> {
  const all = stepFeeds(task, inputs, parameters, 1);
  const exact = original && buildTaskGraph(original.model, original.infos, original.graph, true, true);
  return {
    gradients,
    searchSteps,
    ...(exact && {
      original: { ...(await trainingGraph(exact, folder, options)), own: original!.model.graph },
    }),
    async open(model) {
      const graph = deviceGraph(model, on.device, kindOf(options));
      const path = saveByReference(graph, folder, 'judge.onnx');
      const session = await openSession(path, optionsFor(graph, forSteps(model, on)));
      return {
        run: (outputs, more) => session.run(deviceFeeds(graph, { ...all, ...more }), outputs),
        dispose: () => session.dispose(),
      };
    },
  };
}

function stepFeeds(
  task: TaskGraph,
  batch: HostTensors,
  parameters: Parameters,
  gradScale: number,
): HostTensors {
  const { ahead, labels } = task;
  const inputs = ahead === undefined ? batch : atLabelRows(batch, labels, ahead);
  const scale: HostTensor = { dtype: DType.float, dims: [], data: Float32Array.of(gradScale) };
  return { ...feeds(task, inputs, parameters), [GRAD_SCALE]: scale };
}

function feeds(task: TaskGraph, inputs: HostTensors, parameters: Parameters): HostTensors {
  const all: HostTensors = nameTable();
  for (const { name } of task.model.graph.inputs) {
    const input = own(inputs, name);
    if (input) all[name] = input;
  }
  for (const { name, dims } of [...task.trainable, ...task.frozen])
    all[name] = { dtype: DType.float, dims, data: parameters.get(name)! };
  return all;
}

const sessionOptions = ({ place, threads }: EvaluatorOptions): On => {
  if (place?.engine === 'tfjs') throw new Error('This is the ONNX Runtime engine.');
  return { device: place?.device ?? 'cpu', threads };
};

/** @param folder the folder in which the graph is saved, on the model's file system if possible */
export async function openForward(
  model: Model,
  folder: string,
  { place, threads }: EvaluatorOptions,
): Promise<Executable> {
  if (place?.engine === 'tfjs') throw new Error('This is the ONNX Runtime engine.');
  const device = place?.device ?? 'cpu';
  const graph = deviceGraph(model, device);
  // The runtime's optimization crashes the process if many inner tensors are also outputs (1.30), and fused tensors
  // would not be visible.
  const optimization = model.graph.outputs.length > 1 ? 'disabled' : 'all';
  const path = saveByReference(graph, folder, 'forward.onnx');
  const session = await openSession(path, optionsFor(graph, { device, threads, optimization }));
  return {
    run: (feeds, fetches) => session.run(deviceFeeds(graph, feeds), fetches),
    dispose: () => session.dispose(),
  };
}
