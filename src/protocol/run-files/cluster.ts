import type { ExecutorName } from '../../experiment/cluster';

/**
 * `cluster.json` in the folder of a sweep that runs on a cluster: the scheduler's last states of its trials, for
 * display. Replaced at every change; the submissions are in `submissions`.
 */
export interface ClusterFile {
  version: 1;
  executor: Exclude<ExecutorName, 'local'>;
  /** The login node or the context; empty if the scheduler is on this machine. */
  place: string;
  /** The time of the scheduler's last answer, in ms since 1970. */
  at: number;
  /** It shares no folder with this machine: checkpoints stay there until `aurora sweep --checkpoints` copies them. */
  keepsCheckpoints?: true;
  /** Since when it does not answer, and why. */
  unreachable?: { since: number; message: string };
  /** Models and data on their way to the cluster, as far as they were not there: how many bytes of them are sent. */
  sending?: { files: number; bytes: number; sent: number };
  /** The trials by id. A trial that was not submitted yet is not there. */
  trials: Record<string, ClusterTrial>;
}

/**
 * `preempted`: it saved and waits to be started again. `lost`: the scheduler does not know it any more, or lost its
 * node, and its run has not finished.
 */
export type ClusterTrialState =
  'queued' | 'running' | 'preempted' | 'finished' | 'failed' | 'cancelled' | 'lost';

export interface ClusterTrial {
  state: ClusterTrialState;
  /**
   * The scheduler's own code, such as `Priority`, `TIMEOUT` or `Unschedulable`: `protocol/cluster-reasons.ts` has the
   * words for it.
   */
  code?: string;
  /** The scheduler's own words about it. */
  detail?: string;
  /** Its name in the scheduler: `123_4`, or a pod. */
  job: string;
  node?: string;
  restarts?: number;
  /** Its log, as a path on this machine. */
  log?: string;
  exitCode?: number;
  /**
   * Losses of the trial by the scheduler: how many, the last one's reason and time (ms since 1970), and how many in a
   * row at the same step. It may have been submitted again since.
   */
  lost?: {
    times: number;
    at: number;
    code?: string;
    node?: string;
    inVain?: { step: number; times: number };
  };
  /** Its run's folder has been brought here, since it ended. */
  collected?: true;
}

/** True if the scheduler has a trial: in its queue, or running. */
export const isWithScheduler = ({ state }: Pick<ClusterTrial, 'state'>): boolean =>
  state === 'queued' || state === 'running' || state === 'preempted';
