import { freemem } from 'node:os';
import { lengthOf } from '../../data/batch';
import { epochOrder } from '../../data/row-order';
import type { Place } from '../../engine/place';
import type { HostTensors, JudgedBatch, JudgedModel, TaskOptions } from '../../engine/stepper';
import { transposedCopy } from '../../quantize/transposed';
import { taskInForm } from '../loop/adapter-form';
import { makePlan } from '../loop/training-plan';
import { availableMemory } from '../micro-batch/available';
import { DropoutMasks } from '../optimizer/dropout';
import { frozenNames, perturbed } from '../task/initialize';
import { adaptTo, quantizedForm, readModel } from '../task/adapted-model';
import { initialParameters, makeTask, type Task } from '../task/task';

/**
 * The options with which a task is opened.
 *
 * @param folder for temporary graphs
 */
export function taskOptions(task: Task, place: Place, threads: number, folder: string): TaskOptions {
  const { precision, gradientCheckpointing } = task.spec.training;
  return {
    place,
    threads,
    precision,
    gradientCheckpointing,
    ...(precision === 'int8' && {
      judgedBatch: () => int8Batch(task, folder),
      // Beside a file of the user's own, no copy is written.
      ...(quantizedForm(task.spec) === 'int8' && {
        transposed: () => transposedCopy(task.model, availableMemory() ?? freemem()),
      }),
    }),
  };
}

/** Enough rows to see a layer's outliers, few enough for any memory that can hold a step. */
const EXAMPLES = 8;

/**
 * The share of a run's steps that the search for layers that stay in float32 may take. Counted, not timed: the same run must
 * choose the same layers again.
 */
const SEARCH = 0.05;

/**
 * The beginning of a run's first batch. Not of the current one, with its parameters: a resumed run must choose the same
 * layers. The initial ones are perturbed, since those that are 0 hide the gradients of others.
 */
async function int8Batch(task: Task, folder: string): Promise<JudgedBatch> {
  const { trainingSet: dataset, spec } = task;
  const { training } = spec;
  const [batch] = epochOrder(dataset, { ...training, epoch: 0 });
  const isStored = quantizedForm(spec) === 'int8';
  // With the original weights, half a batch takes about as long as a whole one in int8.
  const most = isStored ? Math.min(EXAMPLES, Math.ceil(batch.length / 2)) : EXAMPLES;
  const examples = batch.slice(0, Math.min(most, training.microBatchSize ?? most));
  const length = lengthOf(dataset, examples);
  const masks = new DropoutMasks(task, training.seed).masks(0, examples, length);
  const inputs = { ...(await task.feeds(dataset, examples)), ...masks };
  const parameters = perturbed(initialParameters(task), training.seed, frozenNames(task.adapters));
  const original = isStored ? await originalOf(task, inputs, folder) : undefined;
  const { totalSteps } = makePlan(training, dataset.examples.length);
  return { inputs, parameters, searchSteps: Math.floor(SEARCH * totalSteps), ...(original && { original }) };
}

/** The task on the weights before they were rounded; undefined for a task that trains on computed features. */
async function originalOf(
  { spec, source, data, adapters }: Task,
  inputs: HostTensors,
  folder: string,
): Promise<JudgedModel | undefined> {
  const whole = { ...spec, model: { ...spec.model } };
  delete whole.model.quantize;
  // As they are stored: a copy of a large model in float32 would fill the disk, and be read from there.
  const made = await makeTask(whole, adaptTo(readModel(source, whole, 'stored'), whole), data, folder);
  const { model, infos, graph } = adapters[0]?.form === 'static' ? taskInForm(made, 'static') : made;
  return model.graph.inputs.every(({ name }) => Object.hasOwn(inputs, name))
    ? { model, infos, graph }
    : undefined;
}
