import type { Cluster } from '../../../executors/cluster/cluster';
import { AuroraError } from '../../../base/errors';
import type { ClusterSettings, ExecutorName } from '../../../experiment/cluster';
import type { Experiment } from '../../../experiment/experiment';

export interface ClusterRequest {
  settings: ClusterSettings;
  /** The folder of cli.cjs. */
  dist: string;
  /** The `.aurora` folder beside the experiment. */
  home: string;
  /** The sweep's folder. */
  sweep: string;
  /** Every file that training this experiment reads. */
  filesRead: (spec: Experiment) => Promise<string[]>;
}

export type ClusterName = Exclude<ExecutorName, 'local'>;

/** The clusters that trials can be trained on. */
const CLUSTERS: Partial<Record<ClusterName, (request: ClusterRequest) => Cluster>> = {};

export function clusterOf(name: ClusterName, request: ClusterRequest): Cluster {
  const make = CLUSTERS[name];
  if (!make) throw new AuroraError('usage', `This version cannot train on ${name}.`);
  return make(request);
}
