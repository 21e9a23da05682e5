import type { Tensor as TfTensor, TypedArray } from '@tensorflow/tfjs-core';
import { AuroraError } from '../../base/errors';
import { nameTable, own } from '../../base/names';
import { DType, isFloat } from '../../graph/dtype';
import type { Graph, Model, Node } from '../../graph/model';
import type { TensorInfos } from '../../graph/tensor-infos';
import {
  buildTaskGraph,
  requireReached,
  requireTrainable,
  type TaskGraph,
  type TaskGraphSpec,
  trainsDifferently,
  type FedTensor,
} from '../../tasks/task-graph';
import type {
  Evaluator,
  EvaluatorOptions,
  Executable,
  HostTensor,
  HostTensors,
  OpenedTask,
  Parameters,
  Stepper,
  TaskOptions,
} from '../stepper';
import { loadBackend, selectBackend, takeFault } from './backends';
import { attempt, faultError } from './failures';
import { Frozen } from './frozen';
import { Interpreter } from './interpreter';
import type { Tf, Value } from './op';
import { fromDevice, upload } from './value';

/**
 * Prepares a task on TensorFlow.js: the forward graph is interpreted with its operators, and its own tape computes the
 * gradients.
 *
 * @param model at the internal opset
 * @param infos shapes of its tensors, from a probe
 */
export async function openTask(
  model: Model,
  infos: TensorInfos,
  spec: TaskGraphSpec,
  options: TaskOptions = {},
): Promise<OpenedTask> {
  requireSupported(options);
  const training = buildTaskGraph(model, infos, spec, true);
  requireTrainable(training);
  requireReached(unreached(training));
  const evaluation = trainsDifferently(spec) ? buildTaskGraph(model, infos, spec, false) : training;
  return { trainable: training.trainable, stepper: await openGraphs(training, evaluation, options) };
}

/** A stepper for existing graphs. */
export async function openGraphs(
  training: TaskGraph,
  evaluation: TaskGraph,
  options: EvaluatorOptions = {},
): Promise<Stepper> {
  const tf = await loadBackend(options);
  const backend = tf.getBackend();
  const frozen = new Frozen(tf);
  const evaluator = evaluatorOf(tf, evaluation, frozen);
  const { before, within } = dependents(training);
  const { trainable, lossSum, count } = training;
  const order = [...before, ...within];
  const interpreter = new Interpreter(tf, order, [lossSum, count], frozen, new Set(training.stop));
  const constants = frozen.of(training.model.graph);
  const stored = [...trainable, ...training.frozen].map((t) => t.name);
  const kept = new Set([...constants.keys(), ...stored]);

  function forwardAndBackward(inputs: HostTensors, parameters: Parameters, gradScale: number): TfTensor[] {
    const values = new Map([...constants, ...feeds(tf, training.model.graph, inputs)]);
    for (const { name, x } of uploaded(tf, training.frozen, parameters)) values.set(name, onDevice(x));
    // Tensors that no trainable tensor affects are computed outside the tape, which would keep all of them.
    interpreter.run(before, values, kept);
    const forward = (...xs: TfTensor[]): TfTensor => {
      trainable.forEach((t, i) => values.set(t.name, onDevice(xs[i])));
      interpreter.run(within, values, kept);
      return deviceTensor(tf, values, lossSum);
    };
    const xs = uploaded(tf, trainable, parameters).map(({ x }) => x);
    const { value, grads } = tf.valueAndGrads(forward)(xs, tf.scalar(gradScale));
    return [value, deviceTensor(tf, values, count), ...grads];
  }

  return {
    async step(inputs, parameters, gradScale) {
      await selectBackend(tf, backend);
      const results = attempt(tf, () => tf.tidy(() => forwardAndBackward(inputs, parameters, gradScale)));
      const [loss, counted, ...gradients] = await download(tf, results);
      return {
        lossSum: loss[0],
        count: counted[0],
        gradients: new Map(trainable.map((t, i) => [t.name, gradients[i] as Float32Array])),
      };
    },
    evaluate: evaluator.evaluate,
    dispose: evaluator.dispose,
  };
}

/** Only the forward half of a task; also for a merged model, which has no adapters left. */
export async function openEvaluator(
  model: Model,
  infos: TensorInfos,
  spec: TaskGraphSpec,
  options: EvaluatorOptions = {},
): Promise<Evaluator> {
  const task = buildTaskGraph(model, infos, spec, false);
  const tf = await loadBackend(options);
  return evaluatorOf(tf, task, new Frozen(tf));
}

function evaluatorOf(tf: Tf, task: TaskGraph, frozen: Frozen): Evaluator {
  const { graph } = task.model;
  const backend = tf.getBackend();
  const observed = [...task.observed.values()].flat();
  const outputs = [task.lossSum, task.count, task.logits, ...observed];
  const interpreter = new Interpreter(tf, graph.nodes, outputs, frozen);
  const constants = frozen.of(graph);
  const kept = new Set(constants.keys());
  return {
    async evaluate(inputs, parameters, observe = false) {
      const wanted = [task.lossSum, task.count, task.logits, ...(observe ? observed : [])];
      const dtypes: number[] = [];
      const forward = (): TfTensor[] => {
        const values = new Map([...constants, ...feeds(tf, graph, inputs)]);
        for (const { name, x } of uploaded(tf, [...task.trainable, ...task.frozen], parameters))
          values.set(name, onDevice(x));
        interpreter.run(graph.nodes, values, kept);
        return wanted.map((name) => {
          const v = values.get(name)!;
          dtypes.push(v.on === 'host' ? v.tensor.dtype : v.dtype);
          // A name may occur twice, but a tensor is released once.
          return tf.clone(deviceTensor(tf, values, name));
        });
      };
      await selectBackend(tf, backend);
      const tensors = attempt(tf, () => tf.tidy(forward));
      const shapes = tensors.map((t) => t.shape);
      const data = await download(tf, tensors);
      const hosts = data.map((d, i) => fromDevice(dtypes[i], shapes[i], d));
      const byName = new Map(wanted.map((name, i) => [name, hosts[i]]));
      return {
        lossSum: Number(hosts[0].data[0]),
        count: Number(hosts[1].data[0]),
        logits: hosts[2],
        observed: new Map(
          observe ? [...task.observed].map(([path, z]) => [path, z.map((n) => byName.get(n)!)]) : [],
        ),
      };
    },
    async dispose() {
      frozen.dispose();
    },
  };
}

const onDevice = (tensor: TfTensor): Value => ({ on: 'device', tensor, dtype: DType.float });

const uploaded = (tf: Tf, tensors: readonly FedTensor[], parameters: Parameters) =>
  // A copy: the pure JavaScript backend keeps the array it is given, and an optimizer changes it in place.
  tensors.map(({ name, dims }) => ({ name, x: tf.tensor(parameters.get(name)!.slice(), dims, 'float32') }));

function deviceTensor(tf: Tf, values: ReadonlyMap<string, Value>, name: string): TfTensor {
  const v = values.get(name)!;
  return v.on === 'host' ? upload(tf, v.tensor, name) : v.tensor;
}

function requireSupported({ precision, gradientCheckpointing }: TaskOptions): void {
  if (precision === 'mixed' || precision === 'int8')
    throw new AuroraError(
      'experiment',
      'TensorFlow.js computes in float32 only.',
      'Set training.precision to "float32", or use the ONNX Runtime engine.',
    );
  if (gradientCheckpointing)
    throw new AuroraError(
      'experiment',
      'The TensorFlow.js engine does not support gradient checkpointing.',
      'Set training.gradientCheckpointing to false and lower training.microBatchSize, or use the ONNX Runtime engine.',
    );
}

export async function openForward({ graph }: Model, options: EvaluatorOptions): Promise<Executable> {
  const tf = await loadBackend(options);
  const backend = tf.getBackend();
  const outputs = graph.outputs.map((o) => o.name);
  const frozen = new Frozen(tf);
  const interpreter = new Interpreter(tf, graph.nodes, outputs, frozen);
  const constants = frozen.of(graph);
  const kept = new Set(constants.keys());
  return {
    async run(inputs, fetches = outputs) {
      const results = new Map<string, Value>();
      const forward = (): TfTensor[] => {
        const values = new Map([...constants, ...feeds(tf, graph, inputs)]);
        interpreter.run(graph.nodes, values, kept);
        for (const name of fetches) {
          const v = values.get(name)!;
          // Its own copy: a tensor may have several names.
          results.set(name, v.on === 'host' ? v : { ...v, tensor: tf.clone(v.tensor) });
        }
        return [...results.values()].flatMap((v) => (v.on === 'device' ? [v.tensor] : []));
      };
      await selectBackend(tf, backend);
      const data = await download(
        tf,
        attempt(tf, () => tf.tidy(forward)),
      );
      const out: HostTensors = nameTable();
      for (const [name, v] of results)
        out[name] = v.on === 'host' ? v.tensor : fromDevice(v.dtype, v.tensor.shape, data.shift()!);
      return out;
    },
    async dispose() {
      frozen.dispose();
    },
  };
}

/** The nodes of a task in order: those that depend on trainable tensors, and those before. */
function dependents(task: TaskGraph): { before: Node[]; within: Node[] } {
  const reached = new Set(task.trainable.map((t) => t.name));
  const before: Node[] = [];
  const within: Node[] = [];
  for (const node of task.model.graph.nodes) {
    const depends = node.inputs.some((x) => reached.has(x));
    (depends ? within : before).push(node);
    if (depends) node.outputs.forEach((y) => reached.add(y));
  }
  return { before, within };
}

/** Names of the trainable tensors that no loss depends on. */
function unreached(task: TaskGraph): string[] {
  const needed = new Set([task.lossSum]);
  for (const node of [...task.model.graph.nodes].reverse())
    if (node.outputs.some((y) => needed.has(y))) node.inputs.forEach((x) => needed.add(x));
  return task.trainable.map((t) => t.name).filter((name) => !needed.has(name));
}

/**
 * The tensors that a graph reads. Integers stay on the host until an operator needs them elsewhere: values computed
 * from a mask, such as a count, may decide a shape.
 */
function feeds(tf: Tf, graph: Graph, tensors: HostTensors): [string, Value][] {
  return graph.inputs.flatMap(({ name }): [string, Value][] => {
    const t: HostTensor | undefined = own(tensors, name);
    if (!t) return [];
    if (!isFloat(t.dtype)) return [[name, { on: 'host', tensor: t }]];
    return [[name, { on: 'device', tensor: upload(tf, t), dtype: t.dtype }]];
  });
}

/**
 * Reads the tensors and releases them in any case.
 * @throws AuroraError if the GPU failed and the values are zeros
 */
async function download(tf: Tf, tensors: readonly TfTensor[]): Promise<TypedArray[]> {
  try {
    const data = await Promise.all(tensors.map((t) => t.data()));
    const fault = takeFault();
    if (fault !== undefined) throw faultError(tf, fault);
    return data;
  } finally {
    tensors.forEach((t) => t.dispose());
  }
}
