import { readdirSync, renameSync } from 'node:fs';
import { mkdir, readFile, readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { IN_USE, noteUse } from '../../files/in-use';
import { processExists } from '../../files/process-facts';
import { presence, type ProcessRecord } from '../../files/processes';
import { isTemporary, temporaryBeside } from '../../files/temporary';

/** A version's folder is only a number of that kind, so that nothing else in globalStorage is ever removed. */
const VERSION = /^\d+\.\d+\.\d+\S*$/;

/**
 * Keeps a copy while this process makes it and starts a program from it, which then keeps it itself. Best effort.
 *
 * @returns ends that
 */
export async function keepCopy(folder: string): Promise<() => void> {
  try {
    await mkdir(join(folder, IN_USE), { recursive: true });
    return noteUse(folder);
  } catch {
    return () => undefined;
  }
}

/**
 * Removes the copies of other versions that no living process runs from, and the notes of processes that are gone.
 *
 * @returns the versions removed
 */
export async function removeOldVersions(storage: string, current: string): Promise<string[]> {
  const entries = await readdir(storage, { withFileTypes: true }).catch(() => []);
  const removed: string[] = [];
  for (const { name } of entries.filter((e) => e.isDirectory())) {
    const path = join(storage, name);
    if (VERSION.test(name)) {
      if ((await hasUsers(path)) || name === current) continue;
      const moved = moveAway(path);
      if (moved === undefined) continue;
      await rm(moved, { recursive: true, force: true });
      removed.push(name);
    } else if (isLeftover(name) && !(await hasUsers(path))) {
      await rm(path, { recursive: true, force: true });
    }
  }
  return removed;
}

/** What a window that was closed meanwhile has not removed to the end. */
const isLeftover = (name: string): boolean => isTemporary(name) && VERSION.test(name.slice(1));

/**
 * Takes a copy away under its name, so that no program can start from it any more. One that has started since the
 * last look has left a note: then the copy is back before anything else happens in this process, with no time for
 * that program to miss a file.
 *
 * @returns where the copy is now; undefined where it stays, also because a system moves no folder that is in use
 */
function moveAway(path: string): string | undefined {
  const moved = temporaryBeside(path);
  try {
    renameSync(path, moved);
  } catch {
    return undefined;
  }
  if (notesNow(moved) === 0) return moved;
  try {
    renameSync(moved, path);
  } catch {
    // Its own version has made the copy again; this one goes when the program has ended.
  }
  return undefined;
}

function notesNow(folder: string): number {
  try {
    return readdirSync(join(folder, IN_USE)).length;
  } catch (e) {
    return (e as NodeJS.ErrnoException).code === 'ENOENT' ? 0 : 1;
  }
}

/** Also removes the notes of processes that are gone. */
async function hasUsers(folder: string): Promise<boolean> {
  let users = 0;
  for (const name of await readdir(join(folder, IN_USE)).catch(() => [] as string[])) {
    const note = join(folder, IN_USE, name);
    if (await isStale(note, parseInt(name, 10))) await rm(note, { force: true }).catch(() => undefined);
    else users++;
  }
  return users > 0;
}

/** A later process may have been given the same number; one that cannot be told apart keeps the copy. */
async function isStale(note: string, pid: number): Promise<boolean> {
  const known = { pid, host: hostname() };
  let value: unknown;
  try {
    value = JSON.parse(await readFile(note, 'utf8'));
  } catch {
    // Not written to its end yet, or never.
    return !processExists(pid);
  }
  // Older versions noted only when.
  const found =
    typeof value === 'number'
      ? presence(known, value)
      : presence({ ...known, ...(value as Partial<ProcessRecord>) });
  return (await found) === 'gone';
}
