import { readFileSync } from 'node:fs';
import { AuroraError } from '../shared/errors';

/** The file's bytes; undefined where there is no such file. */
export function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new AuroraError('run', `${path} could not be read: ${(e as Error).message}.`, undefined, {
      cause: e,
    });
  }
}

/** A JSON file of a run that must be there. */
export function readJson(path: string): unknown {
  const value = readJsonIfThere(path);
  if (value === undefined)
    throw new AuroraError('run', `${path} is missing.`, 'Check that the folder is a run of AuroRA Lab.');
  return value;
}

/** A JSON file of a run; undefined where there is none yet. */
export function readJsonIfThere(path: string): unknown {
  const bytes = readIfThere(path);
  if (!bytes) return undefined;
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (e) {
    throw new AuroraError(
      'run',
      `${path} is not valid JSON: ${(e as Error).message}.`,
      'It was changed or damaged after it was written; restore it from a copy.',
      { cause: e },
    );
  }
}
