import { unreachable } from './errors';
import type { Kubectl } from './kubectl';
import type { Pod } from './objects';

/**
 * The size of a page. kubectl's own pages are larger, and it keeps all of them: ten thousand pods then take 18 s and 1
 * GB.
 */
const PAGE = 500;
/** A job has at most 100,000 indexes, and one pod of each at a time; a hundred jobs are asked about at once. */
const MOST_PAGES = 20_000;

interface PodList {
  metadata?: { continue?: string };
  items: Pod[];
}

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
    const { metadata, items } = (await kubectl.get(path)) as PodList;
    for (const pod of items) yield withoutRest(pod);
    next = metadata?.continue || undefined;
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
