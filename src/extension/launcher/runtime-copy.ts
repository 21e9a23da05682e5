import { constants, readdirSync, renameSync } from 'node:fs';
import { chmod, copyFile, mkdir, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { AuroraError } from '../../base/errors';
import { own } from '../../base/names';
import { NODE_NAME, type RuntimeFile, runtimeFiles } from '../../executors/package/package-files';
import { diskError } from '../../files/atomic';
import { moveFlushed } from '../../files/folder';
import { IN_USE, noteUse } from '../../files/in-use';
import { presence, processExists, type ProcessRecord } from '../../files/processes';
import { isTemporary, temporaryBeside } from '../../files/temporary';

/** The folder from which trainers run: outside the extension, which an update removes. */
export interface RuntimeCopy {
  folder: string;
  cli: string;
  /** The Node that came with the extension; undefined if it has none. */
  node?: string;
}

/** Written last: which files were copied, with size and modification time. */
const MANIFEST = 'runtime.json';
type Manifest = Record<string, Pick<RuntimeFile, 'size' | 'mtimeMs'>>;

/**
 * The copy in `folder` (one for each version of the extension). It is created, or repaired if files are missing, differ
 * in size, or are newer in the extension. Each file is replaced atomically, so two windows that do this at the same
 * time produce the same copy. MissingError if the extension lacks a part; AuroraError (`disk`) if the copy cannot be
 * written.
 */
export async function ensureRuntime(dist: string, folder: string): Promise<RuntimeCopy> {
  const files = await runtimeFiles(dist);
  const made = await readManifest(folder);
  const stale: RuntimeFile[] = [];
  for (const file of files) if (!(await isCurrent(file, folder, made))) stale.push(file);
  try {
    // First: from this folder a program knows that it runs from a copy, and registers itself there.
    await mkdir(join(folder, IN_USE), { recursive: true });
    // In parallel: a slow disk spends its time on many small waits.
    await Promise.all(stale.map((file) => copyAtomically(file, join(folder, file.target))));
    if (stale.length > 0) await writeManifest(folder, files);
  } catch (e) {
    const known = diskError(folder, e);
    throw known instanceof AuroraError
      ? new AuroraError(
          'disk',
          known.message,
          'Training keeps a copy of its programs there (about 210 MB). Free up disk space, or make the folder writable.',
          { cause: e },
        )
      : known;
  }
  const node = `node/${NODE_NAME}`;
  return {
    folder,
    cli: join(folder, 'cli.cjs'),
    node: files.some((f) => f.target === node) ? join(folder, node) : undefined,
  };
}

async function isCurrent(file: RuntimeFile, folder: string, made: Manifest): Promise<boolean> {
  const then = own(made, file.target);
  if (then?.size !== file.size || then.mtimeMs !== file.mtimeMs) return false;
  const now = await stat(join(folder, file.target)).catch(() => undefined);
  return now?.isFile() === true && now.size === file.size;
}

async function copyAtomically(file: RuntimeFile, target: string): Promise<void> {
  const temporary = temporaryBeside(target);
  await mkdir(dirname(target), { recursive: true });
  try {
    // A clone if the file system supports it, to save a second 210 MB.
    await copyFile(file.source, temporary, constants.COPYFILE_FICLONE);
    await chmod(temporary, file.executable ? 0o755 : 0o644);
    await flush(temporary);
    await moveFlushed(temporary, target);
  } finally {
    await rm(temporary, { force: true });
  }
}

async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function readManifest(folder: string): Promise<Manifest> {
  try {
    return JSON.parse(await readFile(join(folder, MANIFEST), 'utf8')) as Manifest;
  } catch {
    return {};
  }
}

async function writeManifest(folder: string, files: readonly RuntimeFile[]): Promise<void> {
  const manifest: Manifest = Object.fromEntries(
    files.map(({ target, size, mtimeMs }) => [target, { size, mtimeMs }]),
  );
  const temporary = temporaryBeside(join(folder, MANIFEST));
  await writeFile(temporary, JSON.stringify(manifest, null, 2));
  await flush(temporary);
  await moveFlushed(temporary, join(folder, MANIFEST));
}

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
