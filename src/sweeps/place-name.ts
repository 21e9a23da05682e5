import type { ExecutorName } from '../experiment/cluster';

const NAMES: Record<ExecutorName, string> = {
  local: 'this machine',
  slurm: 'Slurm',
  kubernetes: 'Kubernetes',
};

/** The names of executors in reports. */
export const placeName = (on: ExecutorName): string => NAMES[on];
