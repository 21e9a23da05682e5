import { statSync, type BigIntStats } from 'node:fs';

/** A folder as the tasks of a cluster know it, and as its file system does. */
export interface FolderIdentity {
  folder: string;
  /** A copy has another one; a folder that is moved, or mounted elsewhere, keeps its own. */
  inode: string;
}

export const identityOf = (folder: string): FolderIdentity => ({
  folder,
  inode: String(statSync(folder, { bigint: true }).ino),
});

/**
 * True if the tasks that were submitted for a folder train in this one. Tasks know it by its path: any folder with this
 * path has them, also if it was restored from a copy. Under another path it is the same folder according to the file
 * system: through a link, or a mount of the same disk.
 */
export function isSameFolder(now: string, then: FolderIdentity): boolean {
  if (now === then.folder) return true;
  const here = statSync(now, { bigint: true });
  const there = seenAt(then.folder);
  return there ? there.dev === here.dev && there.ino === here.ino : String(here.ino) === then.inode;
}

/** Undefined also for a folder of somebody else, who gave away a copy. */
function seenAt(folder: string): BigIntStats | undefined {
  try {
    return statSync(folder, { bigint: true });
  } catch {
    return undefined;
  }
}

export function isIdentity(value: unknown): value is FolderIdentity {
  const { folder, inode } = (value ?? {}) as Partial<FolderIdentity>;
  return typeof folder === 'string' && typeof inode === 'string';
}
