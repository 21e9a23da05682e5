import {
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  realpathSync,
  rmSync,
  statfsSync,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { AuroraError } from '../../base/errors';
import { bytes } from '../../base/number-text';
import { diskError } from '../../files/atomic';
import { requireOwned } from '../../files/fence';
import { type FileIdentity, identify, sameWriting } from '../../files/identity';

/** The version of a file that this process has copied to a name. */
const copies = new Map<string, FileIdentity>();

/**
 * Gives a weights file a second name. Tries a copy that shares its blocks (Btrfs, XFS, APFS, ReFS), which nothing else
 * writes to; then a hard link to the same bytes, if any change is visible at once; then a plain copy. A name left by an
 * earlier run may be another file: it is kept only if it is the same file.
 */
export function placeWeights(from: string, to: string): void {
  // A hard link to a symbolic link would link to the symlink itself, which leads out of the folder.
  const source = realpathSync(from);
  if (existsSync(to) && (sameFile(source, to) || isCopyOf(source, to))) return;
  requireOwned(to);
  rmSync(to, { force: true });
  copies.delete(to);
  const identity = identify(source);
  if (!clone(source, to)) {
    if (showsChanges(dirname(to)) && link(source, to)) return;
    copy(source, to);
  }
  if (identity) copies.set(to, identity);
}

export function sameFile(a: string, b: string): boolean {
  const [x, y] = [identify(a), identify(b)];
  return x !== undefined && x.inode === y?.inode && x.device === y.device;
}

function isCopyOf(source: string, to: string): boolean {
  const [then, now] = [copies.get(to), identify(source)];
  return then !== undefined && now !== undefined && sameWriting(then, now);
}

function clone(from: string, to: string): boolean {
  try {
    copyFileSync(from, to, constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch {
    // A leftover file does no harm.
    rmSync(to, { force: true });
    return false;
  }
}

function link(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch {
    return false;
  }
}

function copy(from: string, to: string): void {
  announceCopy(from, to);
  try {
    copyFileSync(from, to);
  } catch (e) {
    rmSync(to, { force: true });
    throw diskError(to, e);
  }
}

/** Linux's magic numbers of file systems that another machine or program can write to behind the kernel's back. */
const REMOTE = new Set([
  0x6969, // NFS
  0x517b, // SMB
  0xff534d42, // CIFS
  0xfe534d42, // SMB 2
  0x65735546, // FUSE: sshfs, s3fs and others
  0x01021997, // 9p
  0x5346414f, // AFS
  0x6b414653, // the kernel's AFS
  0x00c36400, // Ceph
  0x73757245, // Coda
  0x0bd00bd0, // Lustre
  0x786f4256, // VirtualBox's shared folders
]);

/** True if a file system is known to show changes to a file's size and times at once. */
export const isLocal = (type: number): boolean => !REMOTE.has(type);

/** True if links in a folder are the files themselves, with every change at once. */
export function showsChanges(folder: string): boolean {
  // Other systems use different numbers.
  if (process.platform !== 'linux') return true;
  try {
    return isLocal(Number(statfsSync(folder, { bigint: true }).type & 0xffffffffn));
  } catch {
    return false;
  }
}

/** Files from this size on, in bytes, are copied only after a message. */
const LARGE = 1e9;

type Listener = (message: string) => void;
let listener: Listener | undefined;

/** Sets the listener that hears of a large file before it is copied. Call the result to restore the one before. */
export function onLargeCopy(listen: Listener): () => void {
  const before = listener;
  listener = listen;
  return () => {
    listener = before;
  };
}

/**
 * Call before a file is copied because it cannot be linked.
 *
 * @throws AuroraError 'disk' if there is not enough free space
 */
export function announceCopy(from: string, to: string): void {
  const { size } = statSync(from);
  if (size < LARGE) return;
  const { bavail, bsize } = statfsSync(dirname(to));
  const free = bavail * bsize;
  if (size > free)
    throw new AuroraError(
      'disk',
      `${from} (${bytes(size)}) would have to be copied to ${dirname(to)}, where ${bytes(free)} are free: the two are on different file systems, or on one without links.`,
      'Keep runs on the file system of the model (--out), or free some space.',
    );
  listener?.(
    `${from} (${bytes(size)}) is copied to ${dirname(to)} while this runs, because it cannot be linked there. Keep runs on the file system of the model (--out) to avoid it.`,
  );
}
