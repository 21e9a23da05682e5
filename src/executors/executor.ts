import type { Experiment } from '../experiment/experiment';
import type { TrialView } from '../runs/sweep/look';
import type { TrialRecord } from '../runs/sweep/record';

/** A trial to train now: from its beginning or, if its run has begun, from its last checkpoint. */
export interface TrialTask {
  record: TrialRecord;
  spec: Experiment;
  /** The comparison at which it pauses, such as `epoch:2`. */
  until?: string;
}

/** Where the trials of one sweep are trained. All its state is on disk: another process can continue at any time. */
export interface Executor {
  /** How many of these trials can be submitted now. */
  room(trials: readonly TrialView[]): number;
  /** Starts or queues trials. Whenever this process is killed, the next one knows from disk what was submitted. */
  submit(tasks: readonly TrialTask[]): Promise<void>;
  /** The state of each trial; brings what is needed to show it here, if it is elsewhere. */
  follow(trials: readonly TrialRecord[]): Promise<TrialView[]>;
  /** Asks trials to save and end, and takes those that have not begun out of the queue. */
  cancel(trials: readonly TrialView[]): Promise<void>;
  /** Brings the run folders of trials that have ended here, whole. */
  collect(trials: readonly TrialView[]): Promise<void>;
}
