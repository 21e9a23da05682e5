import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunEvent } from '../protocol/events';
import { parsePredictions, type Predictions } from '../protocol/predictions';
import { runPaths, stepName } from './layout';
import { readIfThere } from '../files/read';

export const predictionsFile = (run: string, step: number): string =>
  join(runPaths(run).predictions, `${stepName(step)}.json`);

/** Undefined where they were not made yet. AuroraError (`run`) where the file is damaged. */
export async function readPredictions(run: string, step: number): Promise<Predictions | undefined> {
  const path = predictionsFile(run, step);
  const bytes = await readIfThere(path);
  return bytes && parsePredictions(path, bytes.toString('utf8'));
}

/**
 * What has changed since: the run, which was trained again from before that step, or the data. Undefined where nothing
 * has, or the data are gone, so that there is nothing newer.
 */
export async function outdated(
  { form, evaluation, data }: Predictions,
  step: number,
  events: readonly RunEvent[],
): Promise<'run' | 'data' | undefined> {
  const now = events.find((e) => e.kind === 'evaluation' && e.step === step);
  const known = now?.kind === 'evaluation' ? now : undefined;
  const same = JSON.stringify(known?.metrics) === JSON.stringify(evaluation);
  if (!same || (known && (known.form ?? 'dynamic') !== form)) return 'run';
  const sum = await fileSum(data.file);
  return sum === undefined || sum === data.sha256 ? undefined : 'data';
}

/** SHA-256 of a file, read in pieces; undefined where it is not there or cannot be read. */
export async function fileSum(path: string): Promise<string | undefined> {
  const hash = createHash('sha256');
  try {
    // Devices and pipes have no end.
    if (!(await stat(path)).isFile()) return undefined;
    for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  } catch {
    return undefined;
  }
  return hash.digest('hex');
}
