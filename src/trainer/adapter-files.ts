import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { diskError } from '../files/atomic';
import { makeFolderIn } from '../files/folder';
import { runPaths, stepName } from '../runs/layout';
import { readCheckpoint } from './checkpoint-store';
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

/** The adapters that a run should have at a checkpoint and has not: a fork begins with checkpoints only. */
export function writeMissingAdapters(
  run: string,
  task: Task,
  { step, parameters, best }: TrainingState,
): void {
  const missing = (which: WhichAdapter) =>
    !existsSync(join(runPaths(run).adapter, which, 'adapter_model.safetensors'));
  if (missing('last')) writeAdapter(run, 'last', task, parameters);
  if (!best || !missing('best')) return;
  const path = join(runPaths(run).checkpoints, stepName(best.step));
  writeAdapter(run, 'best', task, best.step === step ? parameters : readCheckpoint(path).parameters);
}
