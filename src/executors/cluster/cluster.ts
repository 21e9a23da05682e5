import type { Experiment } from '../../experiment/experiment';
import type { ClusterFile } from '../../protocol/run-files/cluster';
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

/** A sweep whose files a cluster gets. */
export interface SweepFiles {
  /** The folder of cli.cjs. */
  dist: string;
  /** The `.aurora` folder beside the experiment. */
  home: string;
  /** The sweep's folder. */
  sweep: string;
  /** Every file that training this experiment reads. */
  filesRead: (spec: Experiment) => Promise<string[]>;
}

/**
 * Copies a sweep's files to the cluster and back: not at all if the folder is shared, else by rsync or through a pod.
 */
export interface ClusterFiles {
  /** The path on the cluster of an absolute path on this machine. */
  there(path: string): string;
  /** The path on this machine of a path on the cluster; undefined if it has none. */
  here(path: string): string | undefined;
  /** Sends the trainer's package, once for each version, and compares its hashes with ours there. */
  sendTrainer(): Promise<TrainerThere>;
  /**
   * Sends a submission's folder, and the models and data of its trials as far as they are not there.
   *
   * @param sending called now and then while models and data are sent
   */
  sendSubmission(
    folder: string,
    specs: readonly Experiment[],
    sending?: (now: Sending) => void,
  ): Promise<void>;
  /** Copies here the new parts of the folders of these runs (paths here): the small files only, in bounded time. */
  follow(runs: readonly string[]): Promise<void>;
  /**
   * Copies the folders of these runs here; they are complete once this returns, except for the files that
   * `collectCheckpoints` copies.
   */
  collect(runs: readonly string[]): Promise<void>;
  /**
   * Copies the checkpoints of these runs, which have ended, here: several times as much as all else, and only forks,
   * resumes and looks at earlier steps need them. Missing if `collect` leaves none.
   */
  collectCheckpoints?(runs: readonly string[]): Promise<void>;
  /** Leaves a request (`stop`, `checkpoint`) in the control folders of these runs. */
  request(runs: readonly string[], what: 'stop' | 'checkpoint'): Promise<void>;
  /** Removes the cluster's copy of a folder (a path here), unless that is the same folder. */
  removeThere(folder: string): Promise<void>;
}

export type Sending = NonNullable<ClusterFile['sending']>;

export interface TrainerThere {
  /** The program on the cluster, cli.cjs. */
  program: string;
  /** The Node that was sent with it; undefined if this build has none, or none for the cluster's system. */
  node?: string;
  /** SHA-256 of its manifest, which has the hash of each file. */
  hash: string;
}
