import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { type HubKind, type HubReference, isCommit } from '../experiment/hub-reference';
import { repoFolder, snapshotFolder, snapshotPath } from '../files/hub-cache';
import { isTemporary } from '../files/temporary';
import type { RepoFile, RepoInfo } from './types';

/**
 * The cache that huggingface_hub and other programs share. Its layout is described for other implementations in
 * https://huggingface.co/docs/hub/local-cache; the rest follows file_download.py of huggingface_hub.
 */

type Repo = Pick<HubReference, 'kind' | 'repo'>;

/** The path of a cached file, or of a folder with cached files; undefined if it is not cached. Makes no request. */
export function cachedPath(cache: string, reference: HubReference): string | undefined {
  const path = snapshotPath(cache, reference);
  // Follows the link: one whose blob was removed does not count.
  return statSync(path, { throwIfNoEntry: false }) && path;
}

/** The commit that a branch or tag named when it was last asked for; undefined if it never was. */
export function cachedCommit(cache: string, repo: Repo, revision: string): string | undefined {
  if (isCommit(revision)) return revision;
  try {
    const commit = readFileSync(refFile(cache, repo, revision), 'utf8').trim();
    return isCommit(commit) ? commit : undefined;
  } catch {
    return undefined;
  }
}

export const refFile = (cache: string, repo: Repo, revision: string): string =>
  join(repoFolder(cache, repo), 'refs', ...revision.split('/'));

/** The name of a file's blob, its ETag on the hub: the SHA-256 of a large file, the git blob's SHA-1 of a small one. */
export const blobName = ({ sha256, gitSha1 }: RepoFile): string => sha256 ?? gitSha1;

/** A file of a repository as a reference. */
export const referenceTo = (info: Pick<RepoInfo, 'kind' | 'id' | 'commit'>, path: string): HubReference => ({
  kind: info.kind,
  repo: info.id,
  revision: info.commit,
  path,
});

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
