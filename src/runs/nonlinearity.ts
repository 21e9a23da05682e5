import { join } from 'node:path';
import { type Nonlinearity, parseNonlinearity } from '../protocol/nonlinearity';
import { runPaths, stepName } from './layout';
import { PATIENT, type RunFiles } from './run-files';

export const nonlinearityFile = (run: string, step: number): string =>
  join(runPaths(run).nonlinearity, `${stepName(step)}.json`);

/**
 * The kept result of a step. Undefined if there is none, or if it is damaged, since it can be computed again.
 *
 * @throws AuroraError 'run' if the file cannot be read or is too large
 */
export async function readNonlinearity(
  run: string,
  step: number,
  files: RunFiles = PATIENT,
): Promise<Nonlinearity | undefined> {
  const bytes = await files.read(nonlinearityFile(run, step));
  if (!bytes) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
  const kept = parseNonlinearity(value);
  return kept?.step === step ? kept : undefined;
}
