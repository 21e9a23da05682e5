import { statSync, type BigIntStats } from 'node:fs';

/** Which file it is and how it was written last, as the file system has it. Times are nanoseconds since 1970. */
export interface FileIdentity {
  device: string;
  inode: string;
  size: number;
  mtimeNs: string;
  ctimeNs: string;
}

export const identityOf = (stat: BigIntStats): FileIdentity => ({
  device: String(stat.dev),
  inode: String(stat.ino),
  size: Number(stat.size),
  mtimeNs: String(stat.mtimeNs),
  ctimeNs: String(stat.ctimeNs),
});

/** Undefined where there is no such file. Links are followed. */
export function identify(path: string): FileIdentity | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat?.isFile() ? identityOf(stat) : undefined;
}

/** The same file, not written in between, unless somebody has set its time back. */
export const sameWriting = (a: FileIdentity, b: FileIdentity): boolean =>
  a.device === b.device && a.inode === b.inode && a.size === b.size && a.mtimeNs === b.mtimeNs;

/** The same, and nobody has set its time, made a link to it or changed its rights either. */
export const sameIdentity = (a: FileIdentity, b: FileIdentity): boolean =>
  sameWriting(a, b) && a.ctimeNs === b.ctimeNs;

/** The coarsest times of writing there are, those of FAT: within them a file may change and look the same. */
const WRITTEN_MS = 2000;
/** The coarsest times of systems that also keep when a file was changed in any way; making a link does that. */
const CHANGED_MS = 50;

const age = (ns: string, now: number): number => now - Number(ns) / 1e6;

/** Whether the file changed so lately that another change may hide behind the same time. */
export const isFresh = ({ mtimeNs, ctimeNs }: FileIdentity, now = Date.now()): boolean =>
  age(mtimeNs, now) < CHANGED_MS || age(ctimeNs, now) < CHANGED_MS;

/** Whether any later change must show in the identity, on every file system. */
export const isSettled = (identity: FileIdentity, now = Date.now()): boolean =>
  !isFresh(identity, now) && age(identity.mtimeNs, now) >= WRITTEN_MS;
