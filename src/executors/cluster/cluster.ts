import type { ClusterFiles } from './files';
import type { Scheduler, Submission } from './scheduler';

/** A cluster as the settings of an experiment and of this machine describe it. To make one starts and asks nothing. */
export interface Cluster {
  /** The login node or the context; empty if the scheduler is on this machine. */
  place: string;
  scheduler: Scheduler;
  files: ClusterFiles;
  /** The maximum number of trials at a time; omitted: as many as fit. */
  parallel?: number;
  /** Cores of each trial. */
  threads: number;
  /** True if each trial has a GPU. */
  gpu: boolean;
  /** The batch script or the manifest of a submission, as it would be submitted. */
  preview(submission: Submission): Promise<string>;
  /**
   * Writes all that is needed to run a submission without this program into a folder, and asks the cluster nothing.
   *
   * @returns the paths that were written
   */
  write?(folder: string, submission: Submission): Promise<string[]>;
}
