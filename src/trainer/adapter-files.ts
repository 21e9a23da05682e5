import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { diskError } from '../files/atomic';
import { makeFolderIn } from '../files/folder';
import { runPaths, stepName } from '../runs/layout';
import { AuroraError } from '../shared/errors';
import { checkpointSteps, readCheckpoint } from './checkpoint-store';
import { writePeftAdapter } from './export/peft';
import type { TrainingState } from './loop';
import type { Task } from './task';

export type WhichAdapter = 'best' | 'last';

/** Writes adapter/best or adapter/last of a run, in PEFT's file layout. */
export const writeAdapter = (
  run: string,
  which: WhichAdapter,
  { spec, adapters, data }: Task,
  parameters: ReadonlyMap<string, Float32Array>,
): void =>
  writePeftAdapter(adapterFolder(run, which), spec, adapters, parameters, data.labels, adapters[0]?.form);

/** Made where it is missing; a run folder that is gone stays so. */
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

/** The adapters that a run should have at a checkpoint and has not: a fork begins with checkpoints only. */
export function writeMissingAdapters(
  run: string,
  task: Task,
  { step, parameters, best }: TrainingState,
): void {
  if (isMissing(run, 'last')) writeAdapter(run, 'last', task, parameters);
  if (!best || !isMissing(run, 'best')) return;
  const path = join(runPaths(run).checkpoints, stepName(best.step));
  writeAdapter(run, 'best', task, best.step === step ? parameters : readCheckpoint(path).parameters);
}

/**
 * Writes adapters again that this process has written and somebody has removed since.
 *
 * @throws AuroraError 'lost' where the best one is nowhere any more
 */
export function putBackAdapters(
  run: string,
  task: Task,
  { step, parameters, best }: TrainingState,
  written: ReadonlySet<WhichAdapter>,
): void {
  if (written.has('last') && isMissing(run, 'last')) {
    const saved = checkpointSteps(run).at(-1);
    writeAdapter(run, 'last', task, saved === undefined ? parameters : parametersAt(run, saved));
  }
  if (!best || !written.has('best') || !isMissing(run, 'best')) return;
  if (best.step !== step && !checkpointSteps(run).includes(best.step))
    throw new AuroraError(
      'lost',
      `${join(runPaths(run).adapter, 'best')} was removed while the run was trained, and no checkpoint has its step, ${best.step}.`,
      'Fork the run at one of its checkpoints: the best adapter is determined again from there on.',
    );
  writeAdapter(run, 'best', task, best.step === step ? parameters : parametersAt(run, best.step));
}

const parametersAt = (run: string, step: number) =>
  readCheckpoint(join(runPaths(run).checkpoints, stepName(step))).parameters;
