/** The place where a sweep's trials are trained. */
export type ExecutorName = 'local' | 'slurm' | 'kubernetes';

const EXECUTOR_NAMES: Record<ExecutorName, string> = {
  local: 'this machine',
  slurm: 'Slurm',
  kubernetes: 'Kubernetes',
};

/** The name of an executor in messages and reports. */
export const executorName = (executor: ExecutorName): string => EXECUTOR_NAMES[executor];

/**
 * The `cluster` section of an experiment file, or the same as a setting of the machine: how trials run on a cluster. It
 * does not change the results, so it is neither in a run's spec.json nor part of a sweep's hash.
 */
export interface ClusterSettings {
  slurm?: SlurmSettings;
  /** Missing settings may come from the settings of the machine. */
  kubernetes?: Partial<KubernetesSettings>;
}

/** Seconds before the time limit at which a trial saves, without a setting. */
export const SIGNAL_BEFORE = 90;

/**
 * A host, or a user and a host, without the characters that ssh itself refuses (`valid_hostname` and `valid_ruser` in ssh.c).
 * Older versions pass them to the shell that runs a ProxyCommand.
 */
export const HOST = /^(?:(?!-)[^\s\p{Cc}'`";&<>|(){}]+@)?(?!-)[^\s\p{Cc}'`"$\\;&<>|(){}@]+$/u;

/** Options of `sbatch`, by their usual names. */
export interface SlurmSettings {
  /** The login node, as `ssh` knows it; omitted: Slurm's commands are on this machine. */
  host?: string;
  /** An absolute folder on the cluster; omitted: the experiment's folder is shared with the cluster, at the same path. */
  folder?: string;
  partition?: string;
  account?: string;
  qos?: string;
  reservation?: string;
  constraint?: string;
  /** The time limit of each trial, in Slurm's forms: minutes, `hours:minutes:seconds`, `days-hours`. */
  time?: string;
  /** Memory of each trial, such as `16G`. */
  memory?: string;
  /** Cores, and threads, of each trial; omitted: 1. */
  cpus?: number;
  /** Such as `gpu:1`. */
  gres?: string;
  /** The maximum number of trials at a time; omitted: as many as the cluster can run. */
  parallel?: number;
  /** Seconds before the time limit at which a trial saves and is requeued; omitted: 90. */
  signalBefore?: number;
  /** Loaded with `module load`. */
  modules?: string[];
  /** Lines of shell that run before the trainer. */
  prologue?: string[];
  /** Node on the cluster; omitted: `node`, after modules and prologue. */
  node?: string;
  /** Further options of `sbatch`, one each. */
  options?: string[];
}

export interface KubernetesSettings {
  /** kubectl's context; omitted: the one that is current when the sweep begins. */
  context?: string;
  /** Omitted: the context's. */
  namespace?: string;
  /** The image with the trainer, built from the Dockerfile that `aurora sweep --write` writes. */
  image: string;
  /** The persistent volume claim that all pods mount; its access mode is ReadWriteMany. */
  claim: string;
  /** The folder where pods mount it; omitted: `folder`, if that is given, else `/aurora`. */
  mount?: string;
  /** The folder where this machine mounts the same volume; omitted: files are copied through a pod. */
  folder?: string;
  /** Cores, and threads, of each trial; omitted: 1. */
  cpus?: number;
  /** Memory of each trial, such as `16Gi`. */
  memory?: string;
  /** GPUs of each trial; omitted: none. */
  gpus?: number;
  /** The resource's name; omitted: `nvidia.com/gpu`. */
  gpuResource?: string;
  /** The most trials at a time; omitted: all. */
  parallel?: number;
  /** The number of retries of a trial whose pod failed; omitted: 3. */
  retries?: number;
  serviceAccount?: string;
  imagePullSecrets?: string[];
  nodeSelector?: Record<string, string>;
  tolerations?: Record<string, unknown>[];
}
