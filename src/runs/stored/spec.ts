import { resolve } from 'node:path';
import type { Experiment } from '../../experiment/experiment';
import { withPaths } from '../../experiment/paths';
import { writeAtomic } from '../../files/atomic';
import { runPaths } from '../layout';
import { foundPath, storedPath } from './path';

/** Writes spec.json, with paths as records have them. @param spec with absolute paths */
export function writeSpec(run: string, spec: Experiment): void {
  const value = { ...withPaths(spec, (path) => storedPath(run, path)), folder: resolve(run) };
  writeAtomic(runPaths(run).spec, `${JSON.stringify(value, null, 2)}\n`, run);
}

/** The experiment in the value of a spec.json, with absolute paths. @param check throws if it is none */
export function specFrom(run: string, value: unknown, check: (value: unknown) => Experiment): Experiment {
  const { folder, ...spec } = isRecord(value) ? value : {};
  const was = typeof folder === 'string' ? folder : undefined;
  const found = (path: string | undefined) => (path === undefined ? path : foundPath(run, path, was));
  return withPaths(check(isRecord(value) ? spec : value), found as (path: string) => string);
}

/** The content of a spec.json as that of an experiment file in its place; content of another form as it is. */
export function specText(run: string, text: string): string {
  try {
    const spec = specFrom(run, JSON.parse(text), (value) => value as Experiment);
    return JSON.stringify(spec, null, 2);
  } catch {
    // The reader of the text reports its mistakes.
  }
  return text;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
