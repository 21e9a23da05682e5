import type { ClusterTrialState } from '../../protocol/run-files/cluster';

/** Trials that are submitted together. Its folder has a file for each task: `tasks/0.json`, `tasks/1.json` and so on. */
export interface Submission {
  /** Identifies it in the scheduler, also after a kill: a DNS label of at most 50 characters, such as `aurora-1f0c9a42-3-5d3e`. */
  name: string;
  /** Its path on this machine. */
  folder: string;
  tasks: readonly SubmittedTask[];
  /** The most tasks at a time. */
  parallel?: number;
  /** The scheduler's references to its jobs, as far as it has been submitted. */
  jobs: readonly JobRef[];
  /** The place of its jobs (`Scheduler.cluster`). */
  cluster?: ClusterThere;
  /** The time when something of it was last submitted, in ms since 1970, if the outcome may not be recorded. */
  submitting?: number;
  /** Its tasks that are in no job were cancelled, and are not submitted any more. */
  withdrawn?: true;
  /** Its trials are trained elsewhere by now. */
  left?: true;
}

/** The place of jobs. */
export interface ClusterThere {
  /** A name that is equal only for one cluster, and one folder or volume of it. */
  name: string;
  /** kubectl's: settings may leave them open, and the user's current ones change. */
  context?: string;
  namespace?: string;
}

export interface SubmittedTask {
  /** The trial's id. */
  trial: string;
  number: number;
  /** The name of the run's folder. */
  run: string;
  /** The step at which it was submitted, to find out if anything has happened since. */
  step: number;
}

/** A job array, or an indexed job: a contiguous part of a submission, since arrays have a largest size. */
export interface JobRef {
  /** Slurm's job number, or the name of Kubernetes' job. */
  id: string;
  /** The first task of the submission in it. Its other tasks follow. */
  first: number;
  count: number;
}

/** The scheduler's report on one task. */
export interface JobState {
  state: ClusterTrialState;
  /** The scheduler's own code: why it waits (`Priority`), or how it ended (`NODE_FAIL`, `TIMEOUT`, `OOMKilled`). */
  code?: string;
  /** The scheduler's own words in addition to the code. */
  detail?: string;
  node?: string;
  restarts?: number;
  exitCode?: number;
  /** The task's own name there: `123_4`, or a pod's name. */
  job: string;
  /** The log's path on the cluster, or how to read it there. */
  log?: string;
}

/** Slurm, or Kubernetes. It decides which trial runs where and when; we only submit, ask and cancel. */
export interface Scheduler {
  /** The name in errors: "Slurm on login.example.org". */
  readonly name: string;
  /** A submission without an answer that is not there after so many ms will not be there later. */
  readonly appearsWithin: number;
  /**
   * Fails early, with the next step: it can be reached, knows the partition or namespace, and so on.
   *
   * @throws AuroraError 'network' if it cannot be reached, 'experiment' if it refuses a setting
   */
  check(): Promise<void>;
  /**
   * The cluster that the settings mean: another one does not know the jobs of this one.
   *
   * @throws AuroraError 'network' if it cannot be reached
   */
  cluster(): Promise<ClusterThere>;
  /**
   * Submits the tasks that are in no job of `submission.jobs` yet. A job of the submission's name that the scheduler
   * already has, from a process that was killed here, is adopted rather than submitted again. However many jobs these are,
   * no more than `parallel` of their tasks run at a time.
   *
   * @param submission the executor has sent its folder and the trainer (`ClusterFiles`)
   * @param submitted called with each job at once, to be recorded before the next one is submitted
   * @throws AuroraError 'network' if it cannot be reached: tried again later. Any other if it refuses: nothing of this
   *   job was submitted
   */
  submit(submission: Submission, submitted: (job: JobRef) => void): Promise<void>;
  /**
   * Only adopts: afterwards, the submission has all jobs that the scheduler has of it.
   *
   * @throws AuroraError 'network' if it cannot be reached
   */
  adopt(submission: Submission, submitted: (job: JobRef) => void): Promise<void>;
  /**
   * The scheduler's state of each task, by its index in the submission; tasks that it has forgotten are left out.
   *
   * @throws AuroraError 'network' if it cannot be reached: then nothing is known, which is not the same as lost
   */
  states(submissions: readonly Submission[]): Promise<Map<number, JobState>[]>;
  /**
   * Takes over the records and the last look of another process, before the first question: a scheduler may forget a
   * task at once when somebody cancels it, and settings may leave open where it is. Called for each submission, the
   * oldest first.
   *
   * @param waited the tasks that were in the queue then
   * @param ago in ms
   */
  remember?(submission: Submission, waited: readonly number[], ago: number): void;
  /** Takes tasks out of the queue; running ones get SIGTERM, and are killed if they do not end. May be repeated. */
  cancel(submission: Submission, tasks: readonly number[] | 'all'): Promise<void>;
}
