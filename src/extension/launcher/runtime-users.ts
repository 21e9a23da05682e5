import { readdirSync, renameSync } from 'node:fs';
import { mkdir, readFile, readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { IN_USE, noteUse } from '../../files/in-use';
import { processExists, presence, type ProcessRecord } from '../../files/processes';
import { isTemporary, temporaryBeside } from '../../files/temporary';

/** A version's folder name has only this form, so that nothing else in globalStorage is ever removed. */
const VERSION = /^\d+\.\d+\.\d+\S*$/;

/**
 * Keeps a copy while this process creates it and starts a program from it, which then keeps it itself. Best effort.
 *
 * @returns a function that ends this
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
 * Removes copies of other versions that no running process uses, and the notes of ended processes.
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

/** Left over from a window that was closed while removing. */
const isLeftover = (name: string): boolean => isTemporary(name) && VERSION.test(name.slice(1));

/**
 * Renames a copy, so that no program can start from it any more. A program that started since the last check has left a
 * note: the copy is then renamed back synchronously, so that the program does not miss a file.
 *
 * @returns the present path of the copy; undefined if it stays, also because the system cannot move a folder that is in
 *   use
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
    // Its own version has created the copy again; this one is removed once the program has ended.
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

/** True if a process uses the copy. Also removes the notes of ended processes. */
async function hasUsers(folder: string): Promise<boolean> {
  let users = 0;
  for (const name of await readdir(join(folder, IN_USE)).catch(() => [] as string[])) {
    const note = join(folder, IN_USE, name);
    if (await isStale(note, parseInt(name, 10))) await rm(note, { force: true }).catch(() => undefined);
    else users++;
  }
  return users > 0;
}

/** A later process may have the same PID. If the two cannot be distinguished, the copy is kept. */
async function isStale(note: string, pid: number): Promise<boolean> {
  const known = { pid, host: hostname() };
  let value: unknown;
  try {
    value = JSON.parse(await readFile(note, 'utf8'));
  } catch {
    // Incomplete, perhaps permanently.
    return !processExists(pid);
  }
  // Older versions stored only the time.
  const found =
    typeof value === 'number'
      ? presence(known, value)
      : presence({ ...known, ...(value as Partial<ProcessRecord>) });
  return (await found) === 'gone';
}
