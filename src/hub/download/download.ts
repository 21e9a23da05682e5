import type { Hub } from '../client';
import type { DownloadOptions, RepoInfo } from '../types';

/**
 * Brings files of a repository into the cache.
 *
 * @param paths of files that `info` lists
 * @returns the snapshot's folder
 */
export async function download(
  hub: Hub,
  info: RepoInfo,
  paths: readonly string[],
  options: DownloadOptions = {},
): Promise<string> {
  void [hub, info, paths, options];
  throw new Error('Not written yet');
}
