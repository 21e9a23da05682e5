import { describe, expect, it } from 'vitest';
import { atMost, explainWaiting, type AskWarning } from '../../../../src/executors/kubernetes/pod-events';
import type { Job, Pod } from '../../../../src/executors/kubernetes/pods';
import { jobStates, newestPods } from '../../../../src/executors/kubernetes/pod-states';
import { clusterReason } from '../../../../src/protocol/cluster-reasons';

type PodStatus = NonNullable<Pod['status']>;

const job = (status: Job['status'] = {}, more: Partial<Job['spec']> = {}): Job => ({
  metadata: { name: 'j' },
  spec: { completions: 1, ...more },
  status,
});

/** As a kubelet writes it: containers in the order of their names, and what a service mesh has added among them. */
const pod = (status: PodStatus, ignored = 0): Pod => ({
  metadata: {
    name: 'j-0-abcde',
    labels: { 'batch.kubernetes.io/job-name': 'j' },
    annotations: {
      'batch.kubernetes.io/job-completion-index': '0',
      'batch.kubernetes.io/job-index-failure-count': '0',
      ...(ignored > 0 && { 'batch.kubernetes.io/job-index-ignored-failure-count': String(ignored) }),
    },
    creationTimestamp: '2026-01-01T00:00:00Z',
  },
  spec: { nodeName: 'n1' },
  status: {
    ...status,
    ...(status.containerStatuses && {
      containerStatuses: [{ name: 'a-proxy', state: {} }, ...status.containerStatuses],
    }),
  },
});

const stateOf = (one: Pod, of = job()) => {
  const { state, exitCode, ...said } = jobStates(of, new Map([[0, one]])).get(0)!;
  return [state, exitCode, clusterReason(said)];
};
const ended = (exitCode: number, reason = 'Error', more: Partial<PodStatus> = {}): PodStatus => ({
  phase: 'Failed',
  containerStatuses: [{ name: 'trainer', state: { terminated: { exitCode, reason } } }],
  ...more,
});
const disrupted = (reason: string, message: string) => ({
  conditions: [{ type: 'DisruptionTarget', status: 'True', reason, message }],
});
const waiting = (reason: string, message?: string): PodStatus => ({
  phase: 'Pending',
  containerStatuses: [{ name: 'trainer', state: { waiting: { reason, ...(message && { message }) } } }],
});

describe('what Kubernetes says about a trial', () => {
  it.each<[string, PodStatus, unknown[]]>([
    ['is retried after an error', ended(1), ['queued', 1, 'it ended with an error']],
    [
      'is retried after its memory',
      ended(137, 'OOMKilled'),
      ['queued', 137, 'it needed more memory than it asked for'],
    ],
    ['has saved because it was asked to', ended(75), ['preempted', 75, undefined]],
    [
      'was evicted by a drained node',
      ended(75, 'Error', disrupted('EvictionByEvictionAPI', 'Eviction API: evicting')),
      ['preempted', 75, 'its node was drained (Eviction API: evicting)'],
    ],
    [
      'was lost with its node',
      ended(137, 'ContainerStatusUnknown', disrupted('DeletionByPodGC', 'PodGC: node no longer exists')),
      ['preempted', 137, 'its node is gone (PodGC: node no longer exists)'],
    ],
    [
      'is on a node that is not responding',
      { phase: 'Running', ...disrupted('DeletionByTaintManager', 'Taint manager: deleting') },
      ['running', undefined, 'its node became unavailable (Taint manager: deleting)'],
    ],
    [
      'was refused by its node',
      { phase: 'Failed', reason: 'UnexpectedAdmissionError', message: 'Allocate failed due to no GPU' },
      ['queued', undefined, 'its node refused it (Allocate failed due to no GPU)'],
    ],
    [
      'found no room on its node',
      { phase: 'Failed', reason: 'OutOfnvidia.com/gpu', message: 'Node did not have enough resource' },
      ['queued', undefined, 'its node had no room for it (Node did not have enough resource)'],
    ],
    [
      'used too much of its node’s disk',
      ended(137, 'Error', { reason: 'Evicted', message: 'Pod ephemeral local storage usage exceeds 1Gi' }),
      ['queued', 137, 'its node evicted it (Pod ephemeral local storage usage exceeds 1Gi)'],
    ],
    [
      'has an image that cannot be pulled',
      waiting('ImagePullBackOff', 'Back-off pulling image "x"'),
      ['queued', undefined, 'its image cannot be pulled (Back-off pulling image "x")'],
    ],
    [
      'waits for a container that something has added to its pod',
      {
        ...waiting('PodInitializing'),
        initContainerStatuses: [
          { name: 'first', state: { terminated: { exitCode: 0, reason: 'Completed' } } },
          { name: 'second', state: { waiting: { reason: 'ErrImagePull', message: 'no such image' } } },
        ],
      },
      ['queued', undefined, 'its image cannot be pulled (no such image)'],
    ],
    [
      'did not begin, since a container that something has added failed',
      {
        phase: 'Failed',
        containerStatuses: [{ name: 'trainer', state: { waiting: { reason: 'PodInitializing' } } }],
        initContainerStatuses: [
          { name: 'first', state: { terminated: { exitCode: 3, reason: 'Error', message: 'no vault' } } },
        ],
      },
      ['queued', undefined, 'it ended with an error (no vault)'],
    ],
    [
      'has no volume',
      {
        phase: 'Pending',
        conditions: [
          {
            type: 'PodScheduled',
            status: 'False',
            reason: 'Unschedulable',
            message: 'persistentvolumeclaim "lab" not found',
          },
        ],
      },
      ['queued', undefined, 'no node can take it (persistentvolumeclaim "lab" not found)'],
    ],
    [
      'waits for a scheduling gate',
      {
        phase: 'Pending',
        conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }],
      },
      ['queued', undefined, 'waiting for admission to the queue'],
    ],
  ])('it %s', (_, status, expected) => expect(stateOf(pod(status))).toEqual(expected));

  it('it was preempted, and waits for the next pod', () => {
    const [state, , why] = stateOf(pod(waiting('ContainerCreating'), 2));
    expect([state, why]).toEqual(['preempted', 'its container is being created']);
  });

  it('an index that has failed has, whatever its last pod was', () => {
    const failed = job({ failedIndexes: '0', conditions: [] });
    expect(stateOf(pod(ended(3)), failed).slice(0, 2)).toEqual(['failed', 3]);
    expect(stateOf(pod(ended(130)), failed).slice(0, 2)).toEqual(['cancelled', 130]);
    expect(jobStates(failed).get(0)).toMatchObject({ state: 'failed', job: 'j-0' });
  });

  it('a job that fails as a whole has lost what it has not finished', () => {
    const conditions = [
      { type: 'FailureTarget', status: 'True', reason: 'DeadlineExceeded' },
      { type: 'Failed', status: 'True', reason: 'DeadlineExceeded', message: 'Job was active too long' },
    ];
    const states = jobStates(job({ completedIndexes: '0', conditions }, { completions: 2 }));
    expect([...states.values()].map(({ state }) => state)).toEqual(['finished', 'lost']);
    // Until its pods have ended, it has not failed.
    const ending = job({ conditions: conditions.slice(0, 1) });
    expect(stateOf(pod({ phase: 'Running' }), ending)[0]).toBe('running');
  });

  it('a suspended job waits, and one that is being deleted is canceled', () => {
    expect(jobStates(job({}, { suspend: true })).get(0)).toMatchObject({ code: 'Suspended' });
    const deleted = { ...job(), metadata: { name: 'j', deletionTimestamp: '2026-01-01T00:00:00Z' } };
    expect(stateOf(pod({ phase: 'Running' }), deleted)[0]).toBe('cancelled');
  });

  it('ten thousand indexes are read from their short form', () => {
    const states = jobStates(
      job({ completedIndexes: '0-4998,5000,5001', failedIndexes: '4999,9999' }, { completions: 10_000 }),
    );
    const counted = (state: string) => [...states.values()].filter((s) => s.state === state).length;
    expect(['finished', 'failed', 'queued'].map(counted)).toEqual([5001, 2, 4997]);
    expect([4999, 5001, 5002, 9999].map((i) => states.get(i)!.state)).toEqual([
      'failed',
      'finished',
      'queued',
      'failed',
    ]);
  });

  it('of the pods of an index the last one counts, also of two in one second', () => {
    const [first, second] = [pod(ended(75)), pod({ phase: 'Running' }, 1)];
    for (const pods of [
      [first, second],
      [second, first],
    ])
      expect(newestPods(pods).get('j')!.get(0)).toBe(second);
  });
});

describe('reasons that only events have', () => {
  const NOW = Date.parse('2026-01-01T00:10:00Z');
  const old = { name: 'j', creationTimestamp: '2026-01-01T00:00:00Z' };
  const quota = {
    reason: 'FailedCreate',
    message: 'exceeded quota: pods',
    lastTimestamp: '2026-01-01T00:08:00Z',
  };
  const explained = async (of: Job, pods: Pod[], ask: AskWarning) => {
    const newest = new Map(pods.map((one, i) => [i, one]));
    const states = await explainWaiting(ask, of, newest, jobStates(of, newest), NOW);
    return [...states.values()].map((state) => clusterReason(state));
  };
  const two = (active: number, metadata = old): Job => ({
    ...job({ active }, { completions: 2, parallelism: 2 }),
    metadata,
  });
  const running = pod({ phase: 'Running' });

  it('are given for trials that a quota keeps without a pod, also if it lets others run', async () => {
    const asked: string[] = [];
    const ask: AskWarning = async (...about) => (asked.push(about.join(' ')), quota);
    const why = 'its pod cannot be created (exceeded quota: pods)';
    expect(await explained(two(0), [], ask)).toEqual([why, why]);
    expect(await explained(two(1), [running], ask)).toEqual([undefined, why]);
    expect(asked).toEqual(['Job j', 'Job j']);
  });

  it('are not asked for while the job has as many pods as it may, or has just begun', async () => {
    const ask: AskWarning = () => Promise.reject(new Error('asked'));
    const turn = 'the limit of trials at a time is reached';
    expect(await explained(two(2), [running], ask)).toEqual([undefined, turn]);
    const young = { name: 'j', creationTimestamp: '2026-01-01T00:09:30Z' };
    expect(await explained(two(0, young), [], ask)).toEqual([turn, turn]);
  });

  it('are those of now', async () => {
    const over = { ...quota, lastTimestamp: '2025-12-31T23:00:00Z' };
    const [why] = await explained(two(0), [], async () => over);
    expect(why).toBe('the limit of trials at a time is reached');
  });

  it('are asked for a few times at each look', async () => {
    const creating = pod(waiting('ContainerCreating'));
    const ask = atMost(1, async () => ({ reason: 'FailedMount', message: 'no such share' }));
    expect(await explained(two(2), [creating, creating], ask)).toEqual([
      'its volume cannot be mounted (no such share)',
      'its container is being created',
    ]);
  });
});

it('a job has the indexes that were submitted, however many its answer lists', () => {
  const indexes = '0-99999999999,'.repeat(1000);
  const endless = job({ completedIndexes: indexes, failedIndexes: indexes }, { completions: 1e12 });
  expect([...jobStates(endless, undefined, 2).values()].map(({ state }) => state)).toEqual([
    'finished',
    'finished',
  ]);
  expect(jobStates(endless).size).toBe(100_000);
});
