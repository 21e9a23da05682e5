import type { ExecutorName } from '../../../experiment/cluster';

const NAMES: Record<ExecutorName, string> = {
  local: 'this machine',
  slurm: 'Slurm',
  kubernetes: 'Kubernetes',
};

/** How reports name where trials are trained. */
export const placeName = (on: ExecutorName): string => NAMES[on];
