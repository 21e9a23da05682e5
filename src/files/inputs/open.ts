import { AsyncLocalStorage } from 'node:async_hooks';
import { existsSync, statSync, type Stats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { openStored, openStoredSync, readStored } from '../read';

/**
 * The only way in which code that prepares a run opens a file that the user has: its model, its tokenizer, its data. So
 * nothing is read that the run does not record, send to a cluster and compare when it is resumed.
 * `test/unit/architecture/inputs.test.ts` finds other ways.
 */

/** The use of a file that is read. */
export type InputKind = 'model-data' | 'tokenizer' | 'preprocessor' | 'data';

/** The use of a file that is read; an image is one of those that a data file names. */
export type InputUse = InputKind | { imageOf: string };

/** Gets each file before it is opened or looked for. */
export type SeeInput = (path: string, use: InputUse) => void;

const seeing = new AsyncLocalStorage<SeeInput>();

/** Calls `read`, and during the call `see` with every input, also with missing files that it tries to open. */
export const seeingInputs = <T>(see: SeeInput, read: () => T): T => seeing.run(see, read);

function seen(path: string, use: InputUse): string {
  seeing.getStore()?.(path, use);
  return path;
}

/**
 * A pipe or a device is refused: a pipe would be waited for until somebody writes to it, and neither has a size.
 *
 * @throws NodeJS.ErrnoException as the functions of node:fs, here and below
 */
export const openInput = (path: string, use: InputUse): number => openStoredSync(seen(path, use));

export const openInputLater = (path: string, use: InputUse): Promise<FileHandle> =>
  openStored(seen(path, use));

export const readInput = (path: string, use: InputUse): Buffer => readStored(seen(path, use));

export async function readInputLater(path: string, use: InputUse): Promise<Buffer> {
  const file = await openInputLater(path, use);
  try {
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** Undefined if it does not exist. */
export const statInput = (path: string, use: InputUse): Stats | undefined =>
  statSync(seen(path, use), { throwIfNoEntry: false });

/** A file that is looked for is an input even if it is not there: it may be later. */
export const inputExists = (path: string, use: InputUse): boolean => existsSync(seen(path, use));
