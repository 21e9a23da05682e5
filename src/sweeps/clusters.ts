import type { Cluster } from '../executors/cluster/cluster';
import { kubernetesCluster } from '../executors/kubernetes/cluster';
import { slurmCluster } from '../executors/slurm/cluster';
import type { ClusterSettings, ExecutorName } from '../experiment/cluster';
import type { Experiment } from '../experiment/experiment';
import { kubernetesSettings, slurmSettings } from '../runs/experiment/cluster';

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
const CLUSTERS: Record<ClusterName, (request: ClusterRequest) => Cluster> = {
  slurm: ({ settings, ...request }) => slurmCluster(slurmSettings(settings), request),
  kubernetes: ({ settings, ...request }) => kubernetesCluster(kubernetesSettings(settings), request),
};

export const clusterOf = (name: ClusterName, request: ClusterRequest): Cluster => CLUSTERS[name](request);
