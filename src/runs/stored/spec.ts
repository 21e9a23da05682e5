import { isAbsolute, resolve } from 'node:path';
import type { Experiment } from '../../experiment/experiment';
import { withPaths } from '../../experiment/paths';
import { writeAtomic } from '../../files/atomic';
import { runPaths } from '../layout';
import { foundPath, storedPath } from './path';

/** Writes spec.json, with paths as records have them. @param spec with absolute paths */
export function writeSpec(run: string, spec: Experiment): void {
  let outside = false;
  const stored = withPaths(spec, (path) => {
    const text = storedPath(run, path);
    outside ||= isAbsolute(text);
    return text;
  });
  const value = outside ? { ...stored, folder: resolve(run) } : stored;
  writeAtomic(runPaths(run).spec, `${JSON.stringify(value, null, 2)}\n`, run);
}

/** The experiment in the value of a spec.json, with absolute paths; a value of another form as it is. */
export function specFrom(run: string, value: object): Experiment {
  const { folder, ...spec } = value as Experiment & { folder?: unknown };
  const was = typeof folder === 'string' ? folder : undefined;
  if (!isText(spec.model?.path) || !isText(spec.data?.train)) return spec;
  return withPaths(spec, (path) => (isText(path) ? foundPath(run, path, was) : path));
}

/** The text of a spec.json as that of an experiment file in its place; a text of another form as it is. */
export function specText(run: string, text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return JSON.stringify(specFrom(run, value), null, 2);
  } catch {
    // Whoever reads the text reports where it is wrong.
  }
  return text;
}

const isText = (value: unknown): value is string => typeof value === 'string';
