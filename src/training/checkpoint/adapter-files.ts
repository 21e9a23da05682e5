import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { methodOf } from '../../adapters/methods/registry';
import { diskError } from '../../files/atomic';
import { requireOwned } from '../../files/fence';
import { makeFolderIn } from '../../files/folder';
import { runPaths, stepName } from '../../runs/layout';
import { AuroraError } from '../../base/errors';
import type { RunEvent } from '../../protocol/events';
import { checkpointSteps, readCheckpoint } from './checkpoint-store';
import { readPeftAdapter, stepOfAdapter, writePeftAdapter } from '../../peft/peft-adapter';
import type { TrainingState } from '../loop/loop';
import { makePlan } from '../loop/training-plan';
import type { Task } from '../task/task';

export type WhichAdapter = 'best' | 'last';

/** Writes a run's adapter/best or adapter/last in PEFT's file layout, with its step. */
export const writeAdapter = (
  run: string,
  which: WhichAdapter,
  task: Task,
  parameters: ReadonlyMap<string, Float32Array>,
  step: number,
): void =>
  writePeftAdapter(
    adapterFolder(run, which),
    { ...task, steps: makePlan(task.spec.training, task.trainingSet.examples.length).totalSteps },
    parameters,
    task.data,
    task.adapters[0]?.form,
    step,
  );

/** Created if missing; a run folder that was removed stays removed. */
function adapterFolder(run: string, which: WhichAdapter): string {
  const folder = join(runPaths(run).adapter, which);
  try {
    return makeFolderIn(run, folder);
  } catch (e) {
    throw diskError(folder, e);
  }
}

const isMissing = (run: string, which: WhichAdapter): boolean =>
  !existsSync(join(runPaths(run).adapter, which, 'adapter_model.safetensors'));

export interface Settling {
  run: string;
  state: TrainingState;
  /** False if the run had none and starts over. */
  hasCheckpoint: boolean;
  /** The journal as it was before the resume. */
  events: readonly RunEvent[];
  /** The task in the form that was last trained at a step. */
  taskAt: (step: number) => Task;
  warn: (message: string) => void;
}

/**
 * Makes adapter/best and adapter/last match the checkpoint that a run resumes from. A run killed between an evaluation
 * and its checkpoint leaves a best adapter from a step that the resumed run has not reached yet; a fork has none at
 * all. Called before the journal records the resume, so that no kill leaves an adapter from a later step than the
 * journal knows.
 */
export function settleAdapters({ run, state, hasCheckpoint, events, taskAt, warn }: Settling): void {
  const bestOf = (e: RunEvent) => e.kind === 'evaluation' && e.best && e.step <= state.step;
  // When the static form starts, it has no best yet; the dynamic form's best stays.
  const best = state.best ?? events.filter((e) => e.kind === 'evaluation').findLast(bestOf);
  const settle = (which: WhichAdapter, step: number | undefined) => {
    const folder = join(runPaths(run).adapter, which);
    const found = stepOfAdapter(folder);
    // Two of its files are of one step, unless both say which ranks there are and a kill came between them.
    const isRight = step !== undefined && found === step;
    if (isRight && !taskAt(step).adapters.some((a) => methodOf(a.spec).peft.ranks)) return;
    const isHere = hasCheckpoint && step === state.step;
    const values = step === undefined ? undefined : isHere ? state.parameters : savedValues(run, step);
    if (values) return writeAdapter(run, which, taskAt(step!), values, step!);
    if (isRight) return;
    requireOwned(folder);
    rmSync(folder, { recursive: true, force: true });
    if (step !== undefined)
      warn(
        `adapter/${which} was removed: it is from step ${found}, not from step ${step}, and the checkpoint of step ${step} cannot be read.`,
      );
  };
  settle('best', best?.step);
  settle('last', hasCheckpoint ? state.step : undefined);
}

/**
 * The values that a run had learned at the step of its best evaluation; undefined if neither checkpoint nor adapter has
 * them.
 */
export function bestValues(
  run: string,
  step: number,
  adapters: Task['adapters'],
): Map<string, Float32Array> | undefined {
  const saved = savedValues(run, step);
  if (saved) return saved;
  const folder = join(runPaths(run).adapter, 'best');
  return stepOfAdapter(folder) === step ? readPeftAdapter(folder, adapters) : undefined;
}

/** Undefined if the checkpoint is missing or damaged. */
function savedValues(run: string, step: number): Map<string, Float32Array> | undefined {
  try {
    return readCheckpoint(join(runPaths(run).checkpoints, stepName(step))).parameters;
  } catch (e) {
    if (e instanceof AuroraError) return undefined;
    throw e;
  }
}

/**
 * Rewrites adapters that this process wrote and somebody has since removed.
 *
 * @throws AuroraError 'lost' if the best one is gone everywhere
 */
export function putBackAdapters(
  run: string,
  task: Task,
  { step, parameters, best }: TrainingState,
  written: ReadonlySet<WhichAdapter>,
): void {
  if (written.has('last') && isMissing(run, 'last')) {
    const saved = checkpointSteps(run).at(-1);
    writeAdapter(
      run,
      'last',
      task,
      saved === undefined ? parameters : parametersAt(run, saved),
      saved ?? step,
    );
  }
  if (!best || !written.has('best') || !isMissing(run, 'best')) return;
  if (best.step !== step && !checkpointSteps(run).includes(best.step))
    throw new AuroraError(
      'lost',
      `${join(runPaths(run).adapter, 'best')} was removed during training, and there is no checkpoint of step ${best.step} to restore it from.`,
      'Fork the run at one of its checkpoints: the best adapter is determined again from there on.',
    );
  writeAdapter(run, 'best', task, best.step === step ? parameters : parametersAt(run, best.step), best.step);
}

const parametersAt = (run: string, step: number) =>
  readCheckpoint(join(runPaths(run).checkpoints, stepName(step))).parameters;
