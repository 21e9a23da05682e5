import { statSync, type BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';

/** Identifies a file and its last write in the file system. Times are nanoseconds since 1970. */
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

/** Undefined if the file does not exist. Follows links. */
export function identify(path: string): FileIdentity | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat?.isFile() ? identityOf(stat) : undefined;
}

/** True for one file that was not written in between, unless its time was set back. */
export const sameWriting = (a: FileIdentity, b: FileIdentity): boolean =>
  a.device === b.device && a.inode === b.inode && a.size === b.size && a.mtimeNs === b.mtimeNs;

/** True for one file that was not written, and whose times, links and permissions have not changed either. */
export const sameIdentity = (a: FileIdentity, b: FileIdentity): boolean =>
  sameWriting(a, b) && a.ctimeNs === b.ctimeNs;

/** The coarsest modification times of any file system, those of FAT: a change within them may not show. */
const WRITTEN_MS = 2000;
/** The coarsest times of file systems that also record when anything about a file changed, such as its links. */
const CHANGED_MS = 50;

const age = (ns: string, now: number): number => now - Number(ns) / 1e6;

/** True if the file changed so recently that another change may have the same time. */
export const isFresh = ({ mtimeNs, ctimeNs }: FileIdentity, now = Date.now()): boolean =>
  age(mtimeNs, now) < CHANGED_MS || age(ctimeNs, now) < CHANGED_MS;

/** True if any later change must show in the identity, on every file system. */
export const isSettled = (identity: FileIdentity, now = Date.now()): boolean =>
  !isFresh(identity, now) && age(identity.mtimeNs, now) >= WRITTEN_MS;

/** Changes when one of the files appears, goes, or is written. */
export async function stampOf(files: readonly string[]): Promise<string> {
  const stamps = files.map(async (file) => {
    const facts = await stat(file).catch(() => undefined);
    return facts ? `${facts.size} ${facts.mtimeMs} ${facts.ino}` : 'none';
  });
  return (await Promise.all(stamps)).map((stamp, i) => `${files[i]} ${stamp}`).join('\n');
}
