import type { HubKind } from '../experiment/hub-reference';

/** A repository as a search finds it. */
export interface FoundRepo {
  kind: HubKind;
  /** "FacebookAI/roberta-base". */
  id: string;
  /** The hub's name of the task: "fill-mask". */
  task?: string;
  licence?: string;
  /** In the last 30 days. */
  downloads: number;
  likes: number;
  /** ISO 8601. */
  changed?: string;
  /** Bytes of everything in the repository; absent where the hub does not state it. */
  size?: number;
  gated: boolean;
  private: boolean;
}

/** A file of a repository as its listing states it. */
export interface RepoFile {
  /** In the repository, with forward slashes. */
  path: string;
  /** Bytes. */
  size: number;
  /** Of the content; only for files in Git LFS or Xet. */
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
  /** As asked for: a branch, a tag or a commit. */
  revision: string;
  /** What the revision names now: 40 hexadecimal digits. */
  commit: string;
  gated: boolean;
  private: boolean;
  task?: string;
  licence?: string;
  files: RepoFile[];
}

/** Where a file is: what `Hub.range` and the download ask for. */
export interface HubFile {
  repo: Pick<RepoInfo, 'kind' | 'id' | 'commit'>;
  file: RepoFile;
}

/** What a download reports. Bytes count those of all files, including what was there before. */
export type DownloadEvent =
  | { kind: 'started'; files: number; done: number; total: number }
  /** At most a few times a second. */
  | { kind: 'progress'; path: string; done: number; total: number }
  /** Another process is downloading the same file. */
  | { kind: 'waiting'; path: string }
  | { kind: 'verifying'; path: string }
  /** A request failed and will be repeated. */
  | { kind: 'retrying'; path: string; reason: string; seconds: number }
  | { kind: 'file'; path: string; size: number; cached: boolean };

export interface DownloadOptions {
  tell?(event: DownloadEvent): void;
  signal?: AbortSignal;
  /** Bytes that are requested, flushed and resumed together. */
  block?: number;
  /** Whether the cache's disk has symbolic links; tried out by default. Without them, snapshots hold the files themselves. */
  symlinks?: boolean;
}
