import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync } from 'node:fs';
import { mkdir, open, rename } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';

/**
 * Creates a folder inside an existing one. Never creates `within`, so that a folder that is moved or removed during
 * writing does not come back.
 *
 * @param path `within` itself or a path below it
 */
export function makeFolderIn(within: string, path: string): string {
  let at = within;
  for (const part of relative(within, path).split(sep)) {
    at = join(at, part);
    // For `within` itself, the part is empty.
    if (part === '') continue;
    try {
      mkdirSync(at);
    } catch (e) {
      if ((e as NodeJS.ErrnoException).code !== 'EEXIST') throw e;
    }
  }
  return path;
}

/**
 * Creates a folder and those above it. `mkdir` with `recursive` does the same, but reports ENOENT for a disk that is
 * read-only.
 */
export function makeFolders(path: string): void {
  try {
    mkdirSync(path);
  } catch (e) {
    const { code } = e as NodeJS.ErrnoException;
    if (code === 'EEXIST' || (code === 'EROFS' && existsSync(path))) return;
    if (code !== 'ENOENT' || dirname(path) === path) throw e;
    makeFolders(dirname(path));
    makeFolders(path);
  }
}

/** Renames so that the new name survives a power cut. The caller must have flushed the content. */
export function renameFlushed(from: string, to: string): void {
  renameSync(from, to);
  flushFolder(dirname(to));
  if (dirname(from) !== dirname(to)) flushFolder(dirname(from));
}

/** Moves without blocking, for the extension host. Creates the folders above `to`. */
export async function moveFlushed(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await rename(from, to);
  for (const folder of new Set([dirname(to), dirname(from)])) await flushLater(folder);
}

/** Errors of systems that cannot flush folders, such as some network and FUSE file systems. */
const CANNOT = ['EINVAL', 'EPERM', 'EACCES', 'EISDIR', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EBADF', 'ENOENT'];

/** Makes the names in a folder survive a power cut, if the system can. Windows does so without a call. */
export function flushFolder(path: string): void {
  if (process.platform === 'win32') return;
  try {
    const fd = openSync(path, 'r');
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch (e) {
    if (!CANNOT.includes((e as NodeJS.ErrnoException).code ?? '')) throw e;
  }
}

async function flushLater(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  try {
    const handle = await open(path, 'r');
    await handle.sync().finally(() => handle.close());
  } catch (e) {
    if (!CANNOT.includes((e as NodeJS.ErrnoException).code ?? '')) throw e;
  }
}
