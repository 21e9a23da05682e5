import {
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { AuroraError } from '../../base/errors';
import { diskError } from '../../files/atomic';
import { renameFlushed } from '../../files/folder';
import { hashFile } from '../../files/hash';
import { IN_USE } from '../../files/in-use';
import { removeAbandoned, temporaryBeside } from '../../files/temporary';
import { MANIFEST, type PackagedFile, type TrainerPackage } from './package';

/**
 * Puts a package in `<trainers>/<hash>`, on a file system of this machine, unless it is there, and verifies every file
 * there by its hash. Damaged or missing files (a cluster may remove old files) are replaced. If several processes do
 * this at once, each file is whole at any time.
 *
 * @returns the package's folder
 * @throws AuroraError 'disk' if it cannot be written, or differs from the written content
 */
export async function installPackage(pkg: TrainerPackage, trainers: string): Promise<string> {
  const folder = join(trainers, pkg.hash);
  try {
    mkdirSync(trainers, { recursive: true });
    removeAbandoned(trainers);
    if (existsSync(folder)) await repair(pkg, folder);
    else await create(pkg, folder);
  } catch (e) {
    throw diskError(folder, e);
  }
  return folder;
}

/** A folder under its final name has been verified. */
async function create(pkg: TrainerPackage, folder: string): Promise<void> {
  const temporary = temporaryBeside(folder);
  try {
    mkdirSync(join(temporary, IN_USE), { recursive: true });
    for (const file of pkg.files) copy(file, join(temporary, file.target));
    writeFileSync(join(temporary, MANIFEST), pkg.manifest, { flush: true });
    await verify(pkg, temporary);
    renameFlushed(temporary, folder);
  } catch (e) {
    // Another process was faster.
    if (!['ENOTEMPTY', 'EEXIST'].includes((e as NodeJS.ErrnoException).code ?? '')) throw e;
    await verify(pkg, folder);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

async function repair(pkg: TrainerPackage, folder: string): Promise<void> {
  const damaged = await damagedFiles(pkg, folder);
  for (const file of damaged) {
    const target = join(folder, file.target);
    const temporary = temporaryBeside(target);
    try {
      copy(file, temporary);
      renameFlushed(temporary, target);
    } finally {
      rmSync(temporary, { force: true });
    }
  }
  mkdirSync(join(folder, IN_USE), { recursive: true });
  if (damaged.length > 0) await verify({ ...pkg, files: damaged }, folder);
}

function copy({ source, executable }: PackagedFile, target: string): void {
  mkdirSync(dirname(target), { recursive: true });
  // A clone if the file system supports it.
  copyFileSync(source, target, constants.COPYFILE_FICLONE);
  chmodSync(target, executable ? 0o755 : 0o644);
}

async function verify(pkg: TrainerPackage, folder: string): Promise<void> {
  const [first, ...others] = await damagedFiles(pkg, folder, true);
  if (!first) return;
  const more = others.length > 0 ? ` and ${others.length} more` : '';
  throw new AuroraError(
    'disk',
    `The trainer was not copied to ${folder} intact: ${first.target}${more} is not what was written.`,
    'Check that disk, and try again.',
  );
}

/** @param again true to read files even if their hash is known */
async function damagedFiles(pkg: TrainerPackage, folder: string, again = false): Promise<PackagedFile[]> {
  const damaged: PackagedFile[] = [];
  for (const file of pkg.files) {
    const found = await hashFile(join(folder, file.target), { again }).catch(() => undefined);
    if (found?.sha256 !== file.sha256) damaged.push(file);
  }
  return damaged;
}

/** Longer than any job waits, and than any cluster lets one run. */
export const UNUSED_DAYS = 90;

/** The name of a package's folder: nothing else is ever removed. */
const PACKAGE = /^[0-9a-f]{64}$/;

/** Jobs were submitted that start from this package. Each trainer that starts from it leaves a note. */
export function noteSubmitted(pkg: string): void {
  const now = new Date();
  try {
    utimesSync(join(pkg, IN_USE), now, now);
  } catch {
    // Its last use was not long ago: the package was just verified.
  }
}

/**
 * Removes packages of other versions from which nothing was submitted or started for 90 days. That nothing runs from one
 * cannot be known here: its jobs may wait in the queue, or run on machines that this one does not see.
 *
 * @returns the names of those removed
 */
export function removeUnused(trainers: string, current: string, now = Date.now()): string[] {
  return readdirSync(trainers).filter((name) => {
    if (!PACKAGE.test(name) || name === current) return false;
    try {
      const folder = join(trainers, name);
      if (now - lastUse(folder) < UNUSED_DAYS * 86_400_000) return false;
      const moved = temporaryBeside(folder);
      renameSync(folder, moved);
      rmSync(moved, { recursive: true, force: true });
      return true;
    } catch {
      // Another user's, or removed by another process.
      return false;
    }
  });
}

/** A note that a program leaves or removes there changes the time of its folder. */
const lastUse = (pkg: string): number => {
  const notes = statSync(join(pkg, IN_USE), { throwIfNoEntry: false });
  return (notes ?? statSync(pkg)).mtimeMs;
};
