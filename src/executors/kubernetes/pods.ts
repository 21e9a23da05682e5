import type { Kubectl } from './kubectl';
import { itemsOf } from './object-shapes';
import { unreachable } from './unreachable';

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

/**
 * The size of a page. kubectl's own pages are larger, and it keeps all of them: ten thousand pods then take 18 s and 1
 * GB.
 */
const PAGE = 500;
/** A job has at most 100,000 indexes, and one pod of each at a time; a hundred jobs are asked about at once. */
const MOST_PAGES = 20_000;

/**
 * Pods, with only the fields that we read.
 *
 * @param selectors as kubectl takes them
 */
export async function* listPods(
  kubectl: Kubectl,
  selectors: { labelSelector: string; fieldSelector: string },
): AsyncGenerator<Pod> {
  const { namespace } = await kubectl.place();
  let next: string | undefined;
  let pages = 0;
  do {
    if (++pages > MOST_PAGES) throw unreachable(kubectl.name, 'its list of pods does not end');
    const query = new URLSearchParams({ ...selectors, limit: String(PAGE) });
    if (next !== undefined) query.set('continue', next);
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods?${query}`;
    const page = itemsOf(kubectl.name, 'pods', await kubectl.get(path));
    for (const pod of page.items) yield withoutRest(pod);
    next = page.next;
  } while (next !== undefined);
}

const withoutRest = ({ metadata, spec, status }: Pod): Pod => {
  const { name, labels, annotations, creationTimestamp, deletionTimestamp } = metadata;
  return {
    metadata: { name, labels, annotations, creationTimestamp, deletionTimestamp },
    spec: { nodeName: spec.nodeName },
    status,
  };
};
