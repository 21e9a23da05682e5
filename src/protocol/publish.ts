import type { ExportLine, ExportRecord } from './export';
import type { PreflightProblem } from './preflight';

/** The effect of an upload on a file of the repository. */
export type UploadChange = 'new' | 'replaced' | 'unchanged';

/** The reports of an upload. */
export type UploadEvent =
  /** Bytes of the files that are sent on their own, of those of all files. At most a few times a second. */
  | { kind: 'sending'; path: string; done: number; total: number }
  /** A request failed and will be repeated. */
  | { kind: 'retrying'; reason: string; seconds: number };

/** The files that would be uploaded, before anything is. */
export interface PublishPlan {
  kind: 'plan';
  /** "alice/rte" */
  repo: string;
  /** True if it would be created. */
  isNew: boolean;
  private: boolean;
  /** The hub or its mirror; large files go to the storage that it names. */
  host: string;
  /** The model that the adapter is for, as its card names it, and its commit if it came from the hub. */
  base: string;
  revision?: string;
  /** The run and the step whose adapter it is. */
  run: string;
  step: number;
  /** The adapter's files, and its results. */
  exported: Pick<ExportRecord, 'form' | 'merge' | 'metrics' | 'drop'>;
  files: { path: string; size: number; change: UploadChange }[];
  /** Bytes of those that are new or replaced. */
  size: number;
  /** Things to look at before it is published. */
  warnings: string[];
}

/** The adapter's place on the hub after publishing. */
export interface Published {
  kind: 'published';
  repo: string;
  commit: string;
  /** False if everything was there already, and no commit was made. */
  isNew: boolean;
  private: boolean;
  /** The page for people. */
  address: string;
  /** The hosts that were contacted. */
  hosts: string[];
}

/** The output of `aurora publish --json`, one JSON object per line. Readers ignore unknown kinds. */
export type PublishLine =
  | Extract<ExportLine, { kind: 'preparing' | 'fitting' | 'not-fitted' | 'measuring' }>
  | PublishPlan
  /** Waits for a line "yes" or "no" on its standard input. */
  | { kind: 'ask' }
  | { kind: 'declined' }
  | UploadEvent
  | Published
  | PreflightProblem;
