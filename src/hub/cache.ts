import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isCommit, type HubReference } from '../experiment/hub-reference';
import { repoFolder, snapshotPath } from '../files/hub-cache';
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
