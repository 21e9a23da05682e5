import { dirname } from 'node:path';
import type { Cluster, SweepFiles } from '../executors/cluster/cluster';
import { kubernetesCluster } from '../executors/kubernetes/kubernetes-cluster';
import { slurmCluster } from '../executors/slurm/slurm-cluster';
import type { ClusterSettings, ExecutorName } from '../experiment/cluster';
import {
  kubernetesSettings,
  mergeClusterSettings,
  readClusterSettings,
  slurmSettings,
} from '../runs/experiment/cluster-settings';
import type { Sweep } from '../runs/experiment/sweep-trials';
import { experimentRuns } from '../runs/layout';
import type { SweepRecord } from '../runs/sweep/record';
import { filesRead } from '../training/inputs/planned';

/** The place where a sweep's trials are trained. */
export type Where = { on: 'local' } | { on: ClusterName; cluster: Cluster };

/** The parts of a sweep's record that decide where it is, if it has begun. */
type Begun = Pick<SweepRecord, 'on' | 'trials'> | undefined;

/** The place in the options, or where the sweep began. */
export const whereOf = (request: SweepRequest, begun: Begun): Where =>
  placeAt(request, request.options.on ?? begun?.on ?? 'local');

/** The place where trials of the sweep were trained before, if that was elsewhere. */
export function leftBy(request: SweepRequest, begun: Begun, { on }: Where): Where | undefined {
  if (!begun?.trials.some((t) => t.run !== undefined)) return undefined;
  const before = begun.on ?? 'local';
  return before === on ? undefined : placeAt(request, before);
}

/** The place where the sweep began. */
export const beganAt = (request: SweepRequest, begun: Begun): Where => placeAt(request, begun?.on ?? 'local');

function placeAt({ file, folder, sweep, dist, options }: SweepRequest, place: ExecutorName): Where {
  if (place === 'local') return { on: place };
  const { clusterFile } = options;
  const settings = mergeClusterSettings(
    sweep.cluster,
    clusterFile === undefined ? {} : readClusterSettings(clusterFile),
  );
  const home = dirname(dirname(experimentRuns(file)));
  return { on: place, cluster: clusterOf(place, settings, { dist, home, sweep: folder, filesRead }) };
}

type ClusterName = Exclude<ExecutorName, 'local'>;

/** The clusters that trials can be trained on. */
const CLUSTERS: Record<ClusterName, (settings: ClusterSettings, sweep: SweepFiles) => Cluster> = {
  slurm: (settings, sweep) => slurmCluster(slurmSettings(settings), sweep),
  kubernetes: (settings, sweep) => kubernetesCluster(kubernetesSettings(settings), sweep),
};

const clusterOf = (name: ClusterName, settings: ClusterSettings, sweep: SweepFiles): Cluster =>
  CLUSTERS[name](settings, sweep);

/** A sweep that a command works on. */
export interface SweepRequest {
  /** The experiment file. */
  file: string;
  /** The sweep's folder. */
  folder: string;
  sweep: Sweep;
  /** The folder of the built programs. */
  dist: string;
  options: SweepOptions;
}

/** A command's options for a sweep, besides the experiment's file. */
export interface SweepOptions {
  /** The place where trials are trained; by default, where the sweep began. */
  on?: ExecutorName;
  /** A JSON file with a cluster's settings, for what the experiment leaves out. */
  clusterFile?: string;
  /** Settings of all trials, as `key=value`. */
  set: readonly string[];
  /** Trials in parallel; measured if omitted. */
  parallel?: number;
  /** Threads of a trial; 0 if not given. */
  threads: number;
  /** Threads of a trial on this machine: those given, or what `OMP_NUM_THREADS` says; 0 if neither does. */
  threadsHere: number;
  engine?: string;
  device?: string;
  fallBack: boolean;
  acceptInputs: boolean;
  retryFailed: boolean;
  /** Submits what is ready to a cluster, and follows nothing. */
  once: boolean;
  /** Stops if the lease of the sweep's folder is not renewed. */
  lease: boolean;
}
