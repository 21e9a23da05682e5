import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readRun } from './read-run';

/** The results of a finished run: numbers that do not depend on the clock, and the bits of its adapters. */
export function trialResult(folder: string) {
  const { events, scalars, result } = readRun(folder);
  const evaluations = events.flatMap((e) =>
    e.kind === 'evaluation' ? [{ ...e.metrics, step: e.step }] : [],
  );
  const bits = ['best', 'last'].map((which) =>
    createHash('sha256')
      .update(readFileSync(join(folder, 'adapter', which, 'adapter_model.safetensors')))
      .digest('hex'),
  );
  const [steps, losses] = [[...scalars.column('step')!], [...scalars.column('loss')!]];
  return { outcome: result?.outcome, steps, losses, evaluations, best: result?.best, bits };
}
