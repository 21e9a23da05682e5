import { join } from 'node:path';
import { AuroraError } from '../base/errors';
import { type KeptFit, parseKeptFit } from '../protocol/linear-fit';
import { runPaths, stepName } from './layout';
import { PATIENT, type RunFiles } from './run-files';

export const fitFile = (run: string, step: number): string =>
  join(runPaths(run).fit, `${stepName(step)}.json`);

/** The size for two hundred layers of rank 64 and width 16,384. */
const MOST_BYTES = 2 ** 27;

/**
 * The linear form of a run's adapter that is kept for a step, which may belong to earlier values. A damaged file counts as
 * missing, since it can be computed again.
 */
export async function readKeptFit(
  run: string,
  step: number,
  files: RunFiles = PATIENT,
): Promise<KeptFit | undefined> {
  try {
    const bytes = await files.read(fitFile(run, step), MOST_BYTES);
    const kept = bytes && parseKeptFit(JSON.parse(bytes.toString('utf8')));
    return kept?.step === step ? kept : undefined;
  } catch (e) {
    if (e instanceof AuroraError || e instanceof SyntaxError) return undefined;
    throw e;
  }
}
