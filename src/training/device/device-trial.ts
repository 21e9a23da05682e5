import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import type { ModelSource } from '../../architectures/model-source';
import { AuroraError, errorRecord, type KnownError } from '../../base/errors';
import { epochOrder } from '../../data/row-order';
import { openTask } from '../../engine/open-task';
import type { Place } from '../../engine/place';
import type { Experiment } from '../../experiment/experiment';
import type { DataSplit, TaskData } from '../../tasks/task-data';
import { initialState } from '../checkpoint/state';
import { withFrozenPrefix } from '../frozen/reuse';
import { FIRST_STEP, gradientStep } from '../loop/gradient-step';
import { median, subset } from '../loop/sample';
import { MicroBatches } from '../micro-batch/micro-batches';
import { DropoutMasks } from '../optimizer/dropout';
import { adaptModel } from '../task/adapted-model';
import { makeTask, type Task } from '../task/task';
import { taskOptions } from './options';

/** Input file of a process that measures or tries one device; contains only the first step's data. */
export interface TrialRequest {
  spec: Experiment;
  source: ModelSource;
  data: TaskData;
  batches: number[][];
  place: Place;
  /** Intra-op threads; 0 for one per core. */
  threads: number;
  /** The run has no adapter and trains its head on features that are computed once. */
  onFeatures: boolean;
  /** Only check that the device works, without measuring its speed. */
  once?: boolean;
  /** For temporary graphs, near the model; the caller removes it. */
  folder: string;
}

/** The answer, one line of JSON. */
export type TrialAnswer = { secondsPerStep: number; steps: number } | TrialProblem;

export interface TrialProblem {
  problem: string;
  /** For an error with a known cause and next step. */
  known?: KnownError;
}

/** At least three steps and this long, or as many as fit into the longer time: at least one. */
const SHORT_MS = 1000;
const LONG_MS = 3000;
const STEPS = 3;

type TrialOptions = Pick<TrialRequest, 'threads' | 'onFeatures' | 'once' | 'folder'>;

/** @param task the whole task, also for a run on features */
export function trialBytes(task: Task, place: Place, options: TrialOptions): Uint8Array {
  const { threads, onFeatures, once, folder } = options;
  const { train, validation, labels, scale } = task.data;
  const { dataset, groups } = subset(task.trainingSet, [firstStep(task)]);
  const split = (of: DataSplit): DataSplit => ({ path: of.path, rows: [], dataset, skipped: [] });
  const request: TrialRequest = {
    spec: task.spec,
    source: task.source,
    batches: groups[0],
    data: {
      train: split(train),
      validation: split(validation),
      labels,
      scale,
      assumed: [],
      warnings: [],
    },
    place,
    threads,
    onFeatures,
    once,
    folder,
  };
  return serialize(request);
}

/** The micro-batches of a run's first step. */
export const firstStep = ({ spec: { training }, trainingSet }: Task): number[][] =>
  epochOrder(trainingSet, { ...training, epoch: 0 }).slice(0, training.gradientAccumulation);

/** Trains a run's first step on one device, repeatedly when measuring, without changing anything. */
export async function runTrial(file: string): Promise<TrialAnswer> {
  const request = deserialize(readFileSync(file)) as TrialRequest;
  const { spec, source, data, batches, place, threads, folder } = request;
  try {
    const adapted = adaptModel(spec, source);
    // Rows that are already packed are not packed again.
    const made = await makeTask(spec, adapted, data, folder);
    const prepared = { ...made, trainingSet: data.train.dataset };
    const keep = join(dirname(folder), 'frozen');
    const reuse = { folder, keep, threads, warn: () => undefined };
    const task = request.onFeatures ? (await withFrozenPrefix(prepared, reuse)).task : prepared;
    const { stepper, trainable } = await openTask(
      task.model,
      task.infos,
      task.graph,
      folder,
      taskOptions(task, place, threads, folder),
    );
    const { parameters } = initialState(task, trainable);
    const micro = new MicroBatches(task, stepper, place, () => undefined);
    const dropout = new DropoutMasks(task, spec.training.seed);
    const seconds: number[] = [];
    const step = async () => {
      const began = performance.now();
      await gradientStep(stepper, task, micro, batches, parameters, dropout, FIRST_STEP);
      return (performance.now() - began) / 1000;
    };
    // Compilation and allocation in the first step happen once per run.
    const first = await step();
    if (request.once) return { secondsPerStep: first, steps: 1 };
    const began = performance.now();
    const passed = () => performance.now() - began;
    while (passed() < LONG_MS && (seconds.length < STEPS || passed() < SHORT_MS)) seconds.push(await step());
    return { secondsPerStep: median(seconds), steps: seconds.length };
  } catch (e) {
    const problem = (e as Error).message.trim().replace(/\s+/g, ' ');
    return e instanceof AuroraError ? { problem, known: errorRecord(e) } : { problem };
  }
}
