import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadExperiment } from '../../src/runs/experiment/load';
import { hashInput } from '../../src/runs/inputs';
import { TASK_VERSION, type TaskFile } from '../../src/runs/sweep/task-file';
import { plannedInputs } from '../../src/training/inputs/planned';
import type { Lab } from './lab';

/** Writes the task of a lab's experiment, as a sweep on a cluster does, and returns its path. */
export async function writeTask(lab: Lab, name: string, over: Partial<TaskFile> = {}): Promise<string> {
  const spec = loadExperiment(lab.experiment);
  const inputs = await Promise.all((await plannedInputs(spec)).map(hashInput));
  const task: TaskFile = {
    ...{ version: TASK_VERSION, run: runOf(lab, name), sweep: 'one', trial: name, number: 1 },
    ...{ settings: { 'training.seed': 7 }, spec, inputs },
    ...{ threads: 1, engine: 'onnxruntime', device: 'cpu' },
    ...over,
  };
  lab.write(`tasks/${name}.json`, JSON.stringify(task));
  return lab.path(`tasks/${name}.json`);
}

export const runOf = (lab: Lab, name: string): string => lab.path(join('.aurora/runs/tiny', name));

/** SHA-256 of the best and the last adapter, and of the losses of every step. */
export const bits = (run: string): string[] =>
  ['adapter/best/adapter_model.safetensors', 'adapter/last/adapter_model.safetensors'].map((file) =>
    createHash('sha256')
      .update(readFileSync(join(run, file)))
      .digest('hex'),
  );
