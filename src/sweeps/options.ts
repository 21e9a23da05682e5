import type { ExecutorName } from '../experiment/cluster';
import type { Sweep } from '../runs/experiment/sweep';

/** A sweep that a command works on. */
export interface SweepRequest {
  /** The experiment file. */
  file: string;
  /** The sweep's folder. */
  folder: string;
  sweep: Sweep;
  /** The folder of the built programs. */
  dist: string;
  options: SweepOptions;
}

/** A command's options for a sweep, besides the experiment's file. */
export interface SweepOptions {
  /** The place where trials are trained; by default, where the sweep began. */
  on?: ExecutorName;
  /** A JSON file with a cluster's settings, for what the experiment leaves out. */
  clusterFile?: string;
  /** Settings of all trials, as `key=value`. */
  set: readonly string[];
  /** Trials in parallel; measured if omitted. */
  parallel?: number;
  /** Threads of a trial; 0 if not given. */
  threads: number;
  /** Threads of a trial on this machine: those given, or what `OMP_NUM_THREADS` says; 0 if neither does. */
  threadsHere: number;
  engine?: string;
  device?: string;
  fallBack: boolean;
  acceptInputs: boolean;
  retryFailed: boolean;
  /** Submits what is ready to a cluster, and follows nothing. */
  once: boolean;
  /** Stops if the lease of the sweep's folder is not renewed. */
  lease: boolean;
}
