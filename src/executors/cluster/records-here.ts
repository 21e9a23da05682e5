import { lstatSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { diskError, discard } from '../../files/atomic';
import { readIfThereSync } from '../../files/read';
import { temporaryBeside } from '../../files/temporary';
import type { InputsRecord } from '../../runs/inputs';

/** Files of a run that name other files: as the trainer wrote them, they have paths of the cluster. */
export const RECORDS = ['inputs.json', 'trial.json', 'spec.json'] as const;

/**
 * Writes them into a run's folder here, with paths of this machine. The experiment comes last: a run counts from then on.
 *
 * @param texts each file as it is on the cluster, by its name; one that is not whole JSON is left for the next time
 * @param here the path on this machine of a path of the cluster; undefined for any other string
 */
export function writeRecordsHere(
  run: string,
  texts: ReadonlyMap<string, string>,
  here: (path: string) => string | undefined,
): void {
  for (const name of RECORDS) {
    const text = recordHere(name, texts.get(name), here);
    if (text !== undefined) replace(join(run, name), text);
  }
}

/** A record with paths of this machine; undefined if it is not whole JSON. */
export function recordHere(
  name: (typeof RECORDS)[number],
  text: string | undefined,
  here: (path: string) => string | undefined,
): string | undefined {
  if (text === undefined) return undefined;
  try {
    const moved = withPathsHere(JSON.parse(text), here);
    return `${name === 'trial.json' ? JSON.stringify(moved) : JSON.stringify(moved, null, 2)}\n`;
  } catch {
    // Not JSON, or nested more deeply than any record.
    return undefined;
  }
}

/** Not flushed, like the other files that come with it: thousands of runs may come at once. */
function replace(path: string, text: string): void {
  const isFile = lstatSync(path, { throwIfNoEntry: false })?.isFile();
  if (isFile && readIfThereSync(path)?.toString('utf8') === text) return;
  const temporary = temporaryBeside(path);
  try {
    writeFileSync(temporary, text, { flag: 'wx' });
    renameSync(temporary, path);
  } catch (e) {
    discard(temporary);
    throw diskError(path, e);
  }
}

/** Replaces every string that is a path of the cluster. Its file system's identity of a file means nothing here. */
function withPathsHere(value: unknown, here: (path: string) => string | undefined): unknown {
  if (typeof value === 'string') return here(value) ?? value;
  if (Array.isArray(value)) return value.map((one) => withPathsHere(one, here));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(
    ([key]) => key !== ('identity' satisfies keyof InputsRecord['files'][number]),
  );
  return Object.fromEntries(entries.map(([key, one]) => [key, withPathsHere(one, here)]));
}
