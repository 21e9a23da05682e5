import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { diskError, discard } from '../../files/atomic';
import { readJsonIfThere } from '../../files/json';
import { readIfThereSync } from '../../files/read';
import { temporaryBeside } from '../../files/temporary';
import { runPaths } from '../../runs/layout';
import type { InputsRecord } from '../../runs/inputs';

/** Files of a run that name other files: as the trainer wrote them, they have paths of the cluster. */
export const RECORDS = ['inputs.json', 'trial.json', 'spec.json'] as const;

/**
 * Writes them into a run's folder here, with paths of this machine. The experiment comes last: a run counts from then on.
 *
 * @param brought the folder that has them as they are on the cluster
 * @param here the path on this machine of a path of the cluster; undefined for any other text
 */
export function writeRecordsHere(
  run: string,
  brought: string,
  here: (path: string) => string | undefined,
): void {
  const [there, own] = [runPaths(brought), runPaths(run)];
  for (const record of ['inputs', 'trial', 'spec'] as const) {
    if (!existsSync(there[record])) continue;
    const value = withPathsHere(readJsonIfThere(there[record]), here);
    const text = record === 'trial' ? JSON.stringify(value) : JSON.stringify(value, null, 2);
    replaceIfNew(own[record], `${text}\n`);
  }
}

/**
 * Not flushed, as nothing is that comes with it: waiting for the disk three times for each of ten thousand runs takes
 * minutes, and what a power cut damages comes again with the whole folder.
 */
function replaceIfNew(path: string, text: string): void {
  if (readIfThereSync(path)?.toString('utf8') === text) return;
  const temporary = temporaryBeside(path);
  try {
    writeFileSync(temporary, text, { flag: 'wx' });
    renameSync(temporary, path);
  } catch (e) {
    discard(temporary);
    throw diskError(path, e);
  }
}

/** Every text that is a path of the cluster is replaced. How its file system knows a file means nothing here. */
function withPathsHere(value: unknown, here: (path: string) => string | undefined): unknown {
  if (typeof value === 'string') return here(value) ?? value;
  if (Array.isArray(value)) return value.map((one) => withPathsHere(one, here));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(
    ([key]) => key !== ('identity' satisfies keyof InputsRecord['files'][number]),
  );
  return Object.fromEntries(entries.map(([key, one]) => [key, withPathsHere(one, here)]));
}
