import type { HubKind } from '../experiment/hub-reference';
import type { DownloadEvent, FoundRepo } from '../protocol/hub';

export type { DownloadEvent, FoundRepo };

/** A file of a repository as its listing states it. */
export interface RepoFile {
  /** In the repository, with forward slashes. */
  path: string;
  /** Bytes. */
  size: number;
  /** The hash of the content; only for files in Git LFS or Xet. */
  sha256?: string;
  /** The git blob's: of the content of a small file, of the pointer of a large one. */
  gitSha1: string;
  /** The hash under which Xet stores it. */
  xet?: string;
}

/** A repository at one commit. */
export interface RepoInfo {
  kind: HubKind;
  id: string;
  /** The requested revision: a branch, a tag or a commit. */
  revision: string;
  /** The commit that the revision names now: 40 hexadecimal digits. */
  commit: string;
  gated: boolean;
  private: boolean;
  task?: string;
  licence?: string;
  files: RepoFile[];
}

/** The place of a file, for requests of `Hub.range` and the download. */
export interface HubFile {
  repo: Pick<RepoInfo, 'kind' | 'id' | 'commit'>;
  file: RepoFile;
}

export interface DownloadOptions {
  tell?(event: DownloadEvent): void;
  signal?: AbortSignal;
  /** Bytes that are requested, flushed and resumed together. */
  block?: number;
  /**
   * True if the cache's disk has symbolic links; tried out by default. Without them, snapshots hold the files
   * themselves.
   */
  symlinks?: boolean;
}
