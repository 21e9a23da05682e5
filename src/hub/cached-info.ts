import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import type { HubKind } from '../experiment/hub-reference';
import { snapshotFolder } from '../files/hub-cache';
import { isTemporary } from '../files/temporary';
import { cachedCommit } from './cache';
import type { RepoFile, RepoInfo } from './types';

/** The part of a repository that is in the cache, for use without the network; undefined if nothing of it is. */
export function cachedInfo(
  cache: string,
  kind: HubKind,
  repo: string,
  revision: string,
): RepoInfo | undefined {
  const commit = cachedCommit(cache, { kind, repo }, revision);
  if (commit === undefined) return undefined;
  const files = filesIn(snapshotFolder(cache, { kind, repo, revision: commit }));
  if (files.length === 0) return undefined;
  return { kind, id: repo, revision, commit, gated: false, private: false, files };
}

function filesIn(folder: string): RepoFile[] {
  let entries;
  try {
    entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  } catch {
    return [];
  }
  return entries.flatMap((entry) => {
    const at = join(entry.parentPath, entry.name);
    const found = statSync(at, { throwIfNoEntry: false });
    if (!found?.isFile() || isTemporary(entry.name)) return [];
    // Without links, the hash is not known; nothing needs it, since the file is there.
    const blob = entry.isSymbolicLink() ? basename(readlinkSync(at)) : '';
    const path = relative(folder, at).replaceAll('\\', '/');
    return [{ path, size: found.size, gitSha1: blob, ...(blob.length === 64 && { sha256: blob }) }];
  });
}
