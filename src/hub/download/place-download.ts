import {
  closeSync,
  constants,
  copyFileSync,
  fsyncSync,
  mkdirSync,
  openSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { discard, diskError, replaceFile, writeAll } from '../../files/atomic';
import { flushFolder, makeFolders, renameFlushed } from '../../files/folder';
import { removeAbandoned, temporaryBeside } from '../../files/temporary';

/** The path of a snapshot's file under its own name, and the path of its bytes. */
export interface Places {
  pointer: string;
  blob: string;
}

/**
 * Puts a verified file into its place, its own name last.
 *
 * @param from the complete file; undefined if the blob is there already
 * @param symlinks without them, the snapshot holds the file itself and `blobs` is not used, as in huggingface_hub's
 *   `_create_symlink`
 */
export function place(from: string | undefined, { pointer, blob }: Places, symlinks: boolean): void {
  try {
    makeFolders(dirname(pointer));
    // Unfinished links of processes that were killed.
    removeAbandoned(dirname(pointer));
    if (symlinks) {
      if (from !== undefined) renameFlushed(from, blob);
      link(blob, pointer);
    } else if (from !== undefined) renameFlushed(from, pointer);
    else copy(blob, pointer);
  } catch (e) {
    throw diskError(pointer, e);
  }
}

/** A relative link, so that the cache can be moved; over an old one at once. */
function link(blob: string, pointer: string): void {
  const temporary = temporaryBeside(pointer);
  try {
    symlinkSync(relative(dirname(pointer), blob), temporary, 'file');
    renameFlushed(temporary, pointer);
  } catch (e) {
    discard(temporary);
    throw e;
  }
}

function copy(blob: string, pointer: string): void {
  const temporary = temporaryBeside(pointer);
  try {
    copyFileSync(blob, temporary, constants.COPYFILE_FICLONE);
    const fd = openSync(temporary, 'r+');
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameFlushed(temporary, pointer);
  } catch (e) {
    discard(temporary);
    throw e;
  }
}

/** Writes which commit a branch or tag names now: only if that has changed, since the cache may be read-only. */
export function writeRef(path: string, known: string | undefined, commit: string): void {
  if (known !== commit) replaceFile(path, (fd) => writeAll(fd, Buffer.from(commit)));
}

const supported = new Map<string, boolean>();

/** True if symbolic links can be made in a cache: on Windows, only in developer mode or as an administrator. */
export function hasSymlinks(cache: string): boolean {
  const known = supported.get(cache);
  if (known !== undefined) return known;
  // `hf cache` calls any other folder in the cache damaged, if this process is killed here.
  const locks = join(cache, '.locks');
  makeFolders(locks);
  const trial = temporaryBeside(join(locks, 'links'));
  mkdirSync(trial);
  removeAbandoned(locks);
  let works = true;
  try {
    writeFileSync(join(trial, 'file'), '');
    symlinkSync('file', join(trial, 'link'), 'file');
  } catch {
    works = false;
  } finally {
    rmSync(trial, { recursive: true, force: true });
    flushFolder(locks);
  }
  supported.set(cache, works);
  return works;
}
