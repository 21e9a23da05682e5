import type { JobRef, JobState } from '../../../src/executors/cluster/scheduler';

/** The requests to the simulated scheduler: one JSON object for each line of its interface. */
export type Request =
  | { do: 'submit'; name: string; folder: string; first: number; count: number; parallel?: number }
  | { do: 'find'; name: string }
  | { do: 'states'; jobs: readonly JobRef[] }
  | { do: 'cancel'; jobs: readonly JobRef[]; tasks: readonly number[] | 'all' };

export type Answer =
  | { id: string }
  | { jobs: JobRef[] }
  | { states: [number, JobState][] }
  | { done: true }
  /** Refused, as sbatch refuses an unknown partition. */
  | { refused: string };

/** The variable with the port on which the scheduler listens. */
export const PORT_VARIABLE = 'AURORA_TEST_SCHEDULER_PORT';
/** The largest number of tasks in a job. */
export const LARGEST_VARIABLE = 'AURORA_TEST_SCHEDULER_LARGEST';
