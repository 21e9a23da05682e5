import type { AuroraError } from '../../base/errors';
import type { Event, Job, Pod } from './pods';
import { unreachable } from './unreachable';

/** The shapes of the API server's answers, as far as we read them: a proxy, or another program called kubectl, may answer. */

type Check = (value: unknown) => boolean;

const optional =
  (is: Check): Check =>
  (value) =>
    value === undefined || is(value);
/** A time that is not set is null. */
const time: Check = (value) => value === undefined || value === null || text(value);
const text: Check = (value) => typeof value === 'string';
const whole: Check = Number.isSafeInteger;
const flag: Check = (value) => typeof value === 'boolean';
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const listOf =
  (is: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(is);
const textByName: Check = (value) => isRecord(value) && Object.values(value).every(text);
const object =
  (fields: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isRecord(value) && Object.entries(fields).every(([name, is]) => is(value[name]));

/** Names of objects become parts of commands: letters, digits, hyphens and dots. */
const objectName: Check = (value) => typeof value === 'string' && /^[a-z0-9][a-z0-9.-]{0,252}$/.test(value);
const said = { reason: optional(text), message: optional(text) };
const metadata = object({
  name: objectName,
  labels: optional(textByName),
  annotations: optional(textByName),
  creationTimestamp: time,
  deletionTimestamp: optional(text),
});
const conditions = optional(listOf(object({ type: text, status: text, ...said })));
const containers = optional(
  listOf(
    object({
      name: text,
      state: optional(
        object({
          waiting: optional(object(said)),
          terminated: optional(object({ exitCode: whole, ...said })),
        }),
      ),
    }),
  ),
);

const job = object({
  metadata,
  spec: object({ completions: optional(whole), parallelism: optional(whole), suspend: optional(flag) }),
  status: optional(
    object({
      active: optional(whole),
      terminating: optional(whole),
      completedIndexes: optional(text),
      failedIndexes: optional(text),
      conditions,
    }),
  ),
});
const pod = object({
  metadata,
  spec: object({ nodeName: optional(text) }),
  status: optional(
    object({
      phase: optional(text),
      ...said,
      conditions,
      containerStatuses: containers,
      initContainerStatuses: containers,
    }),
  ),
});
const event = object({ ...said, lastTimestamp: time });
/** A list without items may be null in Go. */
const page = object({
  items: (value) => value === null || Array.isArray(value),
  metadata: optional(object({ continue: optional(text) })),
});

const claim = object({ spec: optional(object({ accessModes: optional(listOf(text)) })) });
const versions = object({ serverVersion: optional(object({ major: text, minor: text })) });
const configuration = object({
  'current-context': text,
  contexts: listOf(object({ context: object({ namespace: optional(text) }) })),
  clusters: listOf(object({ cluster: object({ server: optional(text) }) })),
});

const KINDS = { jobs: job, pods: pod, events: event };
interface Items {
  jobs: Job;
  pods: Pod;
  events: Event;
}

/**
 * A list that Kubernetes answered with.
 *
 * @param name the cluster's, for the error
 * @param answer undefined for none
 * @returns `next`: the mark of the next page
 * @throws AuroraError 'network' if it is of another shape
 */
export function itemsOf<K extends keyof Items>(
  name: string,
  kind: K,
  answer: unknown,
): { items: Items[K][]; next?: string } {
  if (answer === undefined) return { items: [] };
  if (!page(answer)) throw strange(name, `a list of ${kind}`);
  const { items, metadata } = answer as { items: Items[K][] | null; metadata?: { continue?: string } };
  if (!(items ?? []).every(KINDS[kind])) throw strange(name, `a list of ${kind}`);
  return { items: items ?? [], next: metadata?.continue || undefined };
}

const SINGLE = {
  'a pod': pod,
  'a volume claim': claim,
  'its version': versions,
  'a configuration': configuration,
};

/** @throws AuroraError 'network' if the answer is not of this shape */
export function requireShape(name: string, what: keyof typeof SINGLE, answer: unknown): unknown {
  if (!SINGLE[what](answer)) throw strange(name, what);
  return answer;
}

const strange = (name: string, what: string): AuroraError =>
  unreachable(name, `an answer that should be ${what} is of another shape`);
