import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { differentiate } from '../../graph/autodiff/differentiate';
import { GraphBuilder } from '../../graph/builder';
import { DType } from '../../graph/dtype';
import type { TensorInfos } from '../../graph/infos';
import type { Model } from '../../graph/model';
import { prune } from '../../graph/prune';
import { saveByReference } from '../../graph/save';
import { AuroraError } from '../../shared/errors';
import type { Executable, HostTensor, HostTensors } from '../engine';
import { buildTaskGraph, type TaskGraph, type TaskGraphSpec, type TrainableInfo } from '../program';
import type { Parameters, Stepper } from '../stepper';
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
  const evaluation = buildTaskGraph(model, infos, spec, false);
  const training = spec.adapters.some((a) => a.spec.dropout > 0)
    ? buildTaskGraph(model, infos, spec, true)
    : evaluation;
  if (training.trainable.length === 0)
    throw new AuroraError(
      'experiment',
      'Nothing would be trained: there is no adapter and no head.',
      'Choose an adapter method, or task.head "linear".',
    );
  const step = await trainingGraph(training, folder);
  const stepSession = await openSession(saveByReference(step.model, folder, 'step.onnx'), options);
  const evaluationSession = await openSession(
    saveByReference(evaluation.model, folder, 'evaluate.onnx'),
    options,
  );
  return {
    stepper: makeStepper(training, step.gradients, stepSession, evaluation, evaluationSession, folder),
    trainable: training.trainable,
  };
}

/** Forward and backward in one graph; its outputs are the loss and the gradients. */
async function trainingGraph(
  task: TaskGraph,
  folder: string,
): Promise<{ model: Model; gradients: Map<string, string> }> {
  const infos = await probe(task.model, folder);
  const graph = {
    ...task.model.graph,
    nodes: [...task.model.graph.nodes],
    inputs: [...task.model.graph.inputs],
    initializers: new Map(task.model.graph.initializers),
  };
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

function makeStepper(
  training: TaskGraph,
  gradients: Map<string, string>,
  stepSession: Executable,
  evaluation: TaskGraph,
  evaluationSession: Executable,
  folder: string,
): Stepper {
  const feeds = (task: TaskGraph, inputs: HostTensors, parameters: Parameters): HostTensors => {
    const all: HostTensors = {};
    for (const { name } of task.model.graph.inputs) if (inputs[name]) all[name] = inputs[name];
    for (const { name, dims } of task.trainable)
      all[name] = { dtype: DType.float, dims, data: parameters.get(name)! };
    return all;
  };
  const stepOutputs = [training.lossSum, training.count, ...gradients.values()];
  return {
    async step(inputs, parameters, gradScale) {
      const scale: HostTensor = { dtype: DType.float, dims: [], data: Float32Array.of(gradScale) };
      const out = await stepSession.run(
        { ...feeds(training, inputs, parameters), [GRAD_SCALE]: scale },
        stepOutputs,
      );
      const found = new Map([...gradients].map(([name, tensor]) => [name, out[tensor].data as Float32Array]));
      return {
        lossSum: Number(out[training.lossSum].data[0]),
        count: Number(out[training.count].data[0]),
        gradients: found,
      };
    },
    async evaluate(inputs, parameters, observe = false) {
      const seen = observe ? [...evaluation.observed.values()].flat() : [];
      const fetches = [evaluation.lossSum, evaluation.count, evaluation.logits, ...seen];
      const out = await evaluationSession.run(feeds(evaluation, inputs, parameters), fetches);
      const observed = new Map<string, HostTensor[]>();
      if (observe)
        for (const [path, names] of evaluation.observed)
          observed.set(
            path,
            names.map((n) => out[n]),
          );
      return {
        lossSum: Number(out[evaluation.lossSum].data[0]),
        count: Number(out[evaluation.count].data[0]),
        logits: out[evaluation.logits],
        observed,
      };
    },
    async dispose() {
      await stepSession.dispose();
      await evaluationSession.dispose();
      rmSync(join(folder), { recursive: true, force: true });
    },
  };
}
