import { tensorName } from '../../adapters/stored-tensors';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { AdapterForm } from '../../adapters/methods/method';
import { elementCount } from '../../graph/model';
import { runPaths, stepName } from '../../runs/layout';
import { readRunSummary, type RunSummary } from '../../runs/run-summary';
import { AuroraError } from '../../base/errors';
import { batched, type EvaluationMetrics } from '../../protocol/events';
import { checkpointSteps, readCheckpoint } from './checkpoint-store';
import type { InputsNote } from '../../protocol/inputs-words';
import { ranksIn } from '../../protocol/ranks';
import type { TaskKind } from '../../tasks/kind';
import { taskKind } from '../../tasks/task-registry';
import type { LoadData } from '../../tasks/task-data';
import type { Environment } from '../process/environment';
import { withEncodings } from '../diffusion/encode-data';
import { readPeftAdapter, stepOfAdapter } from '../../peft/peft-adapter';
import { checkpointsHint } from '../../runs/sweep/checkpoints-hint';
import { inputsNote } from '../../runs/inputs-note';
import { taskInForm } from '../loop/adapter-form';
import { makePlan } from '../loop/training-plan';
import { rankedTask } from '../start/compute-start';
import { prepareTask, type Task } from '../task/task';

/** The state of a run: the best evaluation's, the newest checkpoint's, or a step's. */
export type At = 'best' | 'last' | number;

/** The learned values of a run at a step. */
export interface Trained {
  run: RunSummary;
  at: At;
  /** Optimizer steps done. */
  step: number;
  /** Those of the whole training. */
  totalSteps: number;
  /** The form that was trained last. */
  form: AdapterForm;
  /** From the journal, if that step was evaluated. */
  metrics?: EvaluationMetrics;
  labels: string[];
  /** Number of training texts. */
  trainExamples: number;
  /** Its adapters are in `form`; only the validation data are loaded. */
  task: Task;
  parameters: Map<string, Float32Array>;
  /** Remarks on the model, tokenizer and data if they are not the ones it was trained on. */
  inputs: InputsNote;
  /** The environment that the checkpoint was created in, if it still exists. */
  environment?: Environment;
}

/** "best", "last" or a step. */
export function parseAt(text: string | undefined): At {
  if (text === undefined || text === 'best') return 'best';
  if (text === 'last') return text;
  if (/^\d+$/.test(text)) return Number(text);
  throw new AuroraError(
    'usage',
    `--at takes best, last or the step of a checkpoint, not "${text}".`,
    "Choose a step from the run's checkpoints folder.",
  );
}

/**
 * @param near a folder for temporary graphs on the model's file system
 * @param load reads the part of the run's data that is needed
 * @throws AuroraError 'run' if the run has no such state, or one that does not match its experiment
 */
export async function openTrained(
  folder: string,
  at: At,
  near: string,
  load: (kind: TaskKind) => LoadData = (kind) => kind.loadValidation,
): Promise<Trained> {
  const run = readRunSummary(folder);
  const started = run.events.find((e) => e.kind === 'started');
  if (!started)
    throw new AuroraError(
      'run',
      `${folder} has not started training yet.`,
      'Resume it with `aurora train --resume`.',
    );
  const step = stepOf(run, at);
  const evaluation = run.events.find((e) => e.kind === 'evaluation' && e.step === step);
  const form = makePlan(run.spec.training, batched(started)).trainedForm(step);
  const inputs = await inputsNote(run, step);
  const encodings = { keep: runPaths(folder).encoded, folder: near, threads: 0 };
  const read = withEncodings(load(taskKind(run.spec.task)), encodings);
  const asked = await prepareTask(run.spec, near, { known: started, load: read });
  const ranks = ranksIn(run.events);
  const prepared = ranks ? rankedTask(asked, ranks) : asked;
  const { parameters, environment } = savedAt(run, at, step, prepared);
  requireFitting(folder, prepared, parameters);
  return {
    run,
    at,
    step,
    totalSteps: started.steps,
    form,
    ...(evaluation?.kind === 'evaluation' && { metrics: evaluation.metrics }),
    labels: started.labels,
    trainExamples: started.trainExamples,
    task: taskInForm(prepared, form),
    parameters,
    inputs,
    environment,
  };
}

/** @throws AuroraError 'run' if the run has not reached that step */
export function stepOf({ folder, events }: RunSummary, at: At): number {
  if (typeof at === 'number') return at;
  const steps = events.flatMap((e) =>
    at === 'best'
      ? e.kind === 'evaluation' && e.best
        ? [e.step]
        : []
      : e.kind === 'checkpoint'
        ? [e.step]
        : [],
  );
  const newest = steps.at(-1);
  if (newest !== undefined) return newest;
  throw new AuroraError(
    'run',
    at === 'best' ? `${folder} has not been evaluated yet.` : `${folder} has no checkpoint yet.`,
    at === 'best' ? 'Wait for its first evaluation, or use --at last.' : 'Wait for its first checkpoint.',
  );
}

/** From the step's checkpoint; the best and last adapters are also stored separately in case that is gone. */
function savedAt(
  { folder }: RunSummary,
  at: At,
  step: number,
  task: Task,
): Pick<Trained, 'parameters' | 'environment'> {
  const paths = runPaths(folder);
  const steps = checkpointSteps(folder);
  const apart = (['best', 'last'] as const).find((name) => {
    const folder = join(paths.adapter, name);
    if (!existsSync(folder)) return false;
    const saved = stepOfAdapter(folder);
    return saved === undefined ? at === name : saved === step;
  });
  if (steps.includes(step))
    try {
      const { parameters, state } = readCheckpoint(join(paths.checkpoints, stepName(step)));
      return { parameters, environment: state.environment };
    } catch (e) {
      if (!apart) throw e;
    }
  if (apart) return { parameters: readPeftAdapter(join(paths.adapter, apart), task.adapters) };
  throw new AuroraError(
    'run',
    `${folder} has no checkpoint of step ${step}.`,
    steps.length
      ? `It has ${steps.length > 1 ? 'checkpoints of steps' : 'only the checkpoint of step'} ${steps.join(', ')}.`
      : (checkpointsHint(folder) ?? 'It has no checkpoints.'),
  );
}

function requireFitting(folder: string, task: Task, parameters: ReadonlyMap<string, Float32Array>): void {
  const wanted = new Map(
    task.adapters.flatMap((a) => a.tensors.map((t) => [tensorName(a, t.name), elementCount(t.dims)])),
  );
  if (task.head) for (const name of [task.head.weight, task.head.bias]) wanted.set(name, NaN);
  for (const [name, size] of wanted) {
    const have = parameters.get(name)?.length;
    if (have !== undefined && (Number.isNaN(size) || have === size)) continue;
    throw new AuroraError(
      'run',
      `${folder}: the saved parameters have ${have === undefined ? `no ${name}` : `${have} values for ${name}, not ${size}`}.`,
      'They belong to another experiment, or the model has changed since.',
    );
  }
}
