import type { Cluster } from '../executors/cluster/cluster';
import type { SweepFiles } from '../executors/cluster/files';
import { kubernetesCluster } from '../executors/kubernetes/cluster';
import { slurmCluster } from '../executors/slurm/cluster';
import type { ClusterSettings, ExecutorName } from '../experiment/cluster';
import { kubernetesSettings, slurmSettings } from '../runs/experiment/cluster';

export type ClusterName = Exclude<ExecutorName, 'local'>;

/** The clusters that trials can be trained on. */
const CLUSTERS: Record<ClusterName, (settings: ClusterSettings, sweep: SweepFiles) => Cluster> = {
  slurm: (settings, sweep) => slurmCluster(slurmSettings(settings), sweep),
  kubernetes: (settings, sweep) => kubernetesCluster(kubernetesSettings(settings), sweep),
};

export const clusterOf = (name: ClusterName, settings: ClusterSettings, sweep: SweepFiles): Cluster =>
  CLUSTERS[name](settings, sweep);
