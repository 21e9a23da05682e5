import { AuroraError } from '../base/errors';
import { readIfThereSync } from './read';

/** A JSON file of a run that must exist. */
export function readJson(path: string): unknown {
  const value = readJsonIfThere(path);
  if (value === undefined) throw missing(path);
  return value;
}

export const missing = (path: string): AuroraError =>
  new AuroraError('run', `${path} is missing.`, 'Check that the folder is a run of AuroRA Lab.');

/** @param problem continues a sentence about the file, without a full stop */
export const damaged = (path: string, problem: string, cause?: unknown): AuroraError =>
  new AuroraError(
    'run',
    `${path} ${problem}.`,
    'It was changed or damaged after it was written; restore it from a copy.',
    { cause },
  );

/** A JSON file of a run; undefined if it does not exist yet. */
export function readJsonIfThere(path: string, most?: number): unknown {
  const bytes = readIfThereSync(path, most);
  return bytes && parseJson(path, bytes);
}

/** The value in the bytes of a run's JSON file; `path` is for the error. */
export function parseJson(path: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  } catch (e) {
    throw damaged(path, `is not valid JSON: ${(e as Error).message}`, e);
  }
}
