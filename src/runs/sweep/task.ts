import type { Experiment } from '../../experiment/experiment';
import type { Settings } from '../../experiment/sweep';
import type { InputFile } from '../inputs';

export const TASK_VERSION = 1;

/**
 * The work of a scheduler's task: `tasks/<index>.json` of a submission's folder, for `aurora trial`. With the same file
 * it creates the run's folder, resumes the run, or finds that it has ended, so that a scheduler may start it any number
 * of times. All paths are those of the machine that trains.
 */
export interface TaskFile {
  version: number;
  /** The run's folder, absolute. */
  run: string;
  /** The name of the sweep's folder, the trial's id and its number there. */
  sweep: string;
  trial: string;
  number: number;
  settings: Settings;
  spec: Experiment;
  /** The files that the sweep was checked with; the run refuses others. */
  inputs: InputFile[];
  /** The comparison at which it pauses, such as `epoch:2`. */
  until?: string;
  threads: number;
  engine: string;
  device: string;
  fallBack?: boolean;
  acceptInputs?: boolean;
  /** The folder in which trials share what they all compute; omitted: none. */
  frozen?: string;
}
