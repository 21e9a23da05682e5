/** The fields of Kubernetes' objects that we read. */
export interface Job {
  metadata: { name: string; uid?: string; creationTimestamp?: string; deletionTimestamp?: string };
  spec: { completions?: number; parallelism?: number; suspend?: boolean };
  status?: {
    active?: number;
    /** Pods that have been asked to end. */
    terminating?: number;
    /** Such as `0,3-5`. */
    completedIndexes?: string;
    failedIndexes?: string;
    conditions?: Condition[];
  };
}

export interface Pod {
  metadata: {
    name: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    creationTimestamp?: string;
    deletionTimestamp?: string;
  };
  spec: { nodeName?: string };
  status?: {
    phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';
    reason?: string;
    message?: string;
    conditions?: Condition[];
    /** By name. A service mesh, or anything else that a cluster adds to pods, has containers there too. */
    containerStatuses?: ContainerStatus[];
    initContainerStatuses?: ContainerStatus[];
  };
}

interface ContainerStatus {
  name: string;
  state?: {
    waiting?: { reason?: string; message?: string };
    terminated?: { exitCode: number; reason?: string; message?: string };
  };
}

export interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
}

export interface Event {
  reason?: string;
  message?: string;
  lastTimestamp?: string;
}

export const conditionOf = (
  { status }: Pick<Pod | Job, 'status'>,
  type: string,
  value: 'True' | 'False',
): Condition | undefined => status?.conditions?.find((c) => c.type === type && c.status === value);

const LABEL = 'batch.kubernetes.io';
export const JOB_NAME = `${LABEL}/job-name`;

const count = (pod: Pod, name: string): number => Number(pod.metadata.annotations?.[`${LABEL}/${name}`] ?? 0);

export const indexOf = (pod: Pod): number | undefined => {
  const index = pod.metadata.annotations?.[`${LABEL}/job-completion-index`];
  return index !== undefined && /^\d+$/.test(index) ? Number(index) : undefined;
};

/**
 * The number of the index's pods that ended before this one because of the cluster, or after a requested checkpoint.
 */
export const interruptionsOf = (pod: Pod): number => count(pod, 'job-index-ignored-failure-count');

/** The number of pods that the index had before this one. */
export const restartsOf = (pod: Pod): number => count(pod, 'job-index-failure-count') + interruptionsOf(pod);

/**
 * The numbers in Kubernetes' short form: `0,3-5`.
 *
 * @param below the number of the job's indexes, which are all below it
 */
export function indexesIn(text = '', below: number): Set<number> {
  const found = new Set<number>();
  let listed = 0;
  for (const part of text.split(',')) {
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
    if (first === undefined) continue;
    for (let i = Number(first); i <= Number(last) && i < below; i++) {
      if (++listed > below) return found;
      found.add(i);
    }
  }
  return found;
}
