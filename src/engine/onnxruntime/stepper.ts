import { rmSync } from 'node:fs';
import { differentiate } from '../../graph/autodiff/differentiate';
import { GraphBuilder } from '../../graph/builder';
import { DType } from '../../graph/dtype';
import type { TensorInfos } from '../../graph/infos';
import type { Model } from '../../graph/model';
import { prune } from '../../graph/prune';
import { saveByReference } from '../../graph/save';
import { AuroraError } from '../../shared/errors';
import type { HostTensor, HostTensors } from '../engine';
import { buildTaskGraph, type TaskGraph, type TaskGraphSpec, type TrainableInfo } from '../program';
import type { Evaluator, Parameters, Stepper } from '../stepper';
import { foldConstants } from './fold';
import { openSession, type SessionOptions } from './session';
import { probe } from './probe';

const GRAD_SCALE = 'aurora.gradScale';

export interface OrtTask {
  stepper: Stepper;
  trainable: TrainableInfo[];
}

/**
 * Prepares a task on ONNX Runtime: one session for forward and backward together, one for evaluation, both
 * on the weights in the user's file.
 *
 * @param model  at the internal opset
 * @param infos  shapes of its tensors, from a probe
 * @param folder for the step graphs; on the model's file system where possible, removed on dispose
 */
export async function openTask(
  model: Model,
  infos: TensorInfos,
  spec: TaskGraphSpec,
  folder: string,
  options: SessionOptions = {},
): Promise<OrtTask> {
  const dropout = spec.adapters.some((a) => a.spec.dropout > 0);
  const task = buildTaskGraph(model, infos, spec, dropout);
  if (task.trainable.length === 0)
    throw new AuroraError(
      'experiment',
      'Nothing would be trained: there is no adapter and no head.',
      'Choose an adapter method, or task.head "linear".',
    );
  const { model: stepModel, gradients } = await trainingGraph(task, folder);
  const session = await openSession(saveByReference(stepModel, folder, 'step.onnx'), options);
  const evaluator = await openEvaluator(model, infos, spec, folder, options);
  const fetches = [task.lossSum, task.count, ...gradients.values()];
  const stepper: Stepper = {
    async step(inputs, parameters, gradScale) {
      const scale: HostTensor = { dtype: DType.float, dims: [], data: Float32Array.of(gradScale) };
      const out = await session.run({ ...feeds(task, inputs, parameters), [GRAD_SCALE]: scale }, fetches);
      return {
        lossSum: Number(out[task.lossSum].data[0]),
        count: Number(out[task.count].data[0]),
        gradients: new Map([...gradients].map(([name, tensor]) => [name, out[tensor].data as Float32Array])),
      };
    },
    evaluate: evaluator.evaluate,
    async dispose() {
      await session.dispose();
      await evaluator.dispose();
    },
  };
  return { stepper, trainable: task.trainable };
}

/** The forward half of a task alone; also for a merged model, which has no adapters left. */
export async function openEvaluator(
  model: Model,
  infos: TensorInfos,
  spec: TaskGraphSpec,
  folder: string,
  options: SessionOptions = {},
): Promise<Evaluator> {
  const task = buildTaskGraph(model, infos, spec, false);
  const session = await openSession(saveByReference(task.model, folder, 'evaluate.onnx'), options);
  return {
    async evaluate(inputs, parameters, observe = false) {
      const seen = observe ? [...task.observed.values()].flat() : [];
      const out = await session.run(feeds(task, inputs, parameters), [
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
    async dispose() {
      await session.dispose();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function feeds(task: TaskGraph, inputs: HostTensors, parameters: Parameters): HostTensors {
  const all: HostTensors = {};
  for (const { name } of task.model.graph.inputs) if (inputs[name]) all[name] = inputs[name];
  for (const { name, dims } of task.trainable)
    all[name] = { dtype: DType.float, dims, data: parameters.get(name)! };
  return all;
}

/** Forward and backward in one graph; its outputs are the loss and the gradients. */
async function trainingGraph(
  task: TaskGraph,
  folder: string,
): Promise<{ model: Model; gradients: Map<string, string> }> {
  const infos = await probe(task.model, folder);
  const folded = await foldConstants(task.model, infos);
  const graph = { ...folded, inputs: [...folded.inputs] };
  const dtype = infos.get(task.lossSum)!.dtype;
  new GraphBuilder(graph, '/seed').addInput(GRAD_SCALE, dtype, []);
  const names = task.trainable.map((t) => t.name);
  const gradients = differentiate(graph, infos, new Map([[task.lossSum, GRAD_SCALE]]), names, task.stop);
  const unused = names.filter((n) => !gradients.has(n));
  if (unused.length)
    throw new AuroraError(
      'targets',
      `These adapters do not reach the loss: ${unused
        .map((n) => n.slice(0, n.lastIndexOf('.')))
        .filter((p, i, a) => a.indexOf(p) === i)
        .join(', ')}.`,
      'Their layers feed another output of the model: leave them out with adapter.excludeModules.',
    );
  graph.outputs = [task.lossSum, task.count, ...gradients.values()].map((name) => ({
    name,
    dtype: 0,
    shape: undefined,
  }));
  return { model: { ...task.model, graph: prune(graph) }, gradients };
}
