import type { Tensor as TfTensor } from '@tensorflow/tfjs-core';
import { DType } from '../../graph/dtype';
import type { TensorInfos } from '../../graph/infos';
import type { Model } from '../../graph/model';
import { AuroraError } from '../../base/errors';
import type { HostTensors } from '../engine';
import {
  buildTaskGraph,
  trainsDifferently,
  type TaskGraph,
  type TaskGraphSpec,
} from '../../tasks/task-graph';
import type { Evaluator, EvaluatorOptions, OpenedTask, Parameters, Stepper, TaskOptions } from '../stepper';
import { requireReached, requireTrainable } from '../../tasks/trained-tensors';
import { Frozen } from './frozen';
import { attempt } from './failures';
import { Interpreter } from './interpreter';
import { loadBackend, selectBackend } from './backends/backend';
import type { Tf, Value } from './op';
import { dependents, unreached } from './reach';
import { download, feeds } from './transfer';
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
  const kept = new Set([...constants.keys(), ...trainable.map((t) => t.name)]);

  function forwardAndBackward(inputs: HostTensors, parameters: Parameters, gradScale: number): TfTensor[] {
    const values = new Map([...constants, ...feeds(tf, training.model.graph, inputs)]);
    // Tensors that no trainable tensor affects are computed outside the tape, which would keep all of them.
    interpreter.run(before, values, kept);
    const forward = (...xs: TfTensor[]): TfTensor => {
      trainable.forEach((t, i) => values.set(t.name, onDevice(xs[i])));
      interpreter.run(within, values, kept);
      return deviceTensor(tf, values, lossSum);
    };
    const xs = trainables(tf, training, parameters);
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
        trainables(tf, task, parameters).forEach((x, i) => values.set(task.trainable[i].name, onDevice(x)));
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

const trainables = (tf: Tf, task: TaskGraph, parameters: Parameters): TfTensor[] =>
  // A copy: the pure JavaScript backend keeps the array it is given, and an optimizer changes it in place.
  task.trainable.map(({ name, dims }) => tf.tensor(parameters.get(name)!.slice(), dims, 'float32'));

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
