import { constants } from 'node:fs';
import { chmod, copyFile, mkdir, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AuroraError } from '../../base/errors';
import { diskError } from '../../files/atomic';
import { moveFlushed } from '../../files/folder';
import { IN_USE } from '../../files/in-use';
import { temporaryBeside } from '../../files/temporary';
import { NODE_NAME, runtimeFiles, type RuntimeFile } from '../../executors/package/files';
import { own } from '../../base/names';

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
