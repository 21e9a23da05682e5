import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { JobRef, JobState, Submission } from '../../../../src/executors/cluster/scheduler';
import { kubectl } from '../../../../src/executors/kubernetes/kubectl';
import { MountedFiles } from '../../../../src/executors/kubernetes/cluster-files';
import { KubernetesScheduler } from '../../../../src/executors/kubernetes/kubernetes-scheduler';
import { fakeTrainer, type FakeTask } from '../../../kubernetes/fake-trainer';
import { SimulatedCluster } from '../../../kubernetes/simulated-cluster';
import { standInKubectl, type StandIn } from '../../../kubernetes/stand-in';
import { scratchFolder } from '../../../scratch';
import { until } from '../../../until';

const FOREVER = 600_000;

describe.skipIf(process.platform === 'win32')('Kubernetes', () => {
  const root = scratchFolder('kubernetes');
  const trainer = fakeTrainer(join(root, 'image'));
  const settings = {
    ...{ image: 'lab/aurora:1', claim: 'lab', context: 'lab', namespace: 'team' },
    ...{ mount: root, folder: root, retries: 1 },
  };
  let cluster: SimulatedCluster;
  let standIn: StandIn;
  let scheduler: KubernetesScheduler;
  let count = 0;

  beforeEach(async () => {
    cluster = new SimulatedCluster(join(root, 'image'));
    cluster.claims.set('lab', { spec: { accessModes: ['ReadWriteMany'] } });
    standIn = await standInKubectl(join(root, 'bin'), cluster);
    vi.stubEnv('PATH', standIn.path);
    const files = new MountedFiles(settings, trainer);
    scheduler = new KubernetesScheduler(settings, kubectl(settings), files);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    cluster.close();
    await standIn.close();
  });

  /** A submission on disk, not submitted yet. */
  function submission(
    tasks: readonly FakeTask[],
    { folder = join(root, 'submissions', String(count++)), ...more }: Partial<Submission> = {},
  ): Submission {
    mkdirSync(join(folder, 'tasks'), { recursive: true });
    for (const [i, task] of tasks.entries())
      writeFileSync(join(folder, 'tasks', `${i}.json`), JSON.stringify(task));
    const named = tasks.map((_, i) => ({ trial: `t${i}`, number: i + 1, run: `r${i}`, step: 0 }));
    return { name: `aurora-test-${count}`, folder, tasks: named, jobs: [], ...more };
  }

  async function submit(one: Submission): Promise<Submission> {
    const jobs: JobRef[] = [];
    await scheduler.submit(one, (job) => jobs.push(job));
    return { ...one, jobs };
  }

  const states = async (one: Submission): Promise<Map<number, JobState>> =>
    (await scheduler.states([one]))[0]!;

  const statesWhen = (one: Submission, is: (states: Map<number, JobState>) => boolean) =>
    until(async () => {
      const now = await states(one);
      return is(now) && now;
    }, 50);
  const starts = ({ folder }: Submission, task: number): string[] => {
    const file = join(folder, 'tasks', `${task}.json.starts`);
    return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
  };
  const all = (state: string) => (now: Map<number, JobState>) =>
    [...now.values()].every((s) => s.state === state);

  it('runs every task, as many at a time as the submission says', async () => {
    cluster.slots = 10;
    cluster.unschedulable = 'no room';
    const one = await submit(submission(Array(5).fill({ exits: [0] }), { parallel: 2 }));
    expect(one.jobs).toEqual([{ id: one.name, first: 0, count: 5 }]);
    expect([...(await states(one)).values()].map(({ state, code }) => [state, code])).toEqual([
      ...Array<string[]>(2).fill(['queued', 'Unschedulable']),
      ...Array<string[]>(3).fill(['queued', 'JobParallelism']),
    ]);
    cluster.unschedulable = undefined;
    const ended = await statesWhen(one, all('finished'));
    expect(ended.size).toBe(5);
    expect(ended.get(3)!.log).toBe(join(one.folder, 'logs/3.log'));
    expect(readFileSync(ended.get(3)!.log!, 'utf8')).toBe('start 1\n');
    expect(cluster.mostAtOnce).toBe(1);
    expect(existsSync(join(one.folder, 'job.yaml'))).toBe(true);
  });

  it('is asked with the context and the namespace, and with one call for the jobs and one for the pods', async () => {
    const one = await submit(submission([{ exits: [0] }]));
    await statesWhen(one, all('finished'));
    standIn.commands.calls.length = 0;
    await states(one);
    const query = new URLSearchParams({
      labelSelector: `batch.kubernetes.io/job-name in (${one.name})`,
      fieldSelector: 'status.phase!=Succeeded',
      limit: '500',
    });
    expect(standIn.commands.calls.map((args) => args.filter((arg) => !arg.startsWith('--output')))).toEqual([
      ['get', 'jobs', `--selector=app.kubernetes.io/instance in (${one.name})`, '--ignore-not-found'],
      ['get', '--raw', `/api/v1/namespaces/team/pods?${query}`],
    ]);
    expect(await kubectl(settings).options()).toEqual(['--context=lab', '--namespace=team']);
  });

  it('runs tasks in a folder whose name looks like a variable of Kubernetes', async () => {
    const one = await submit(submission([{ exits: [0] }], { folder: join(root, "of $(HOME) $$x's") }));
    await statesWhen(one, all('finished'));
    expect(starts(one, 0)).toHaveLength(1);
  });

  it('says what is wrong with a volume that does not have the tasks', async () => {
    const one = submission([{ exits: [0] }]);
    rmSync(join(one.folder, 'tasks'), { recursive: true });
    const ended = await statesWhen(await submit(one), (now) => now.get(0)!.state === 'failed');
    expect(ended.get(0)!.detail).toMatch(/is not on the volume/);
  });

  it('adopts a job whose submission was not recorded, and submits nothing twice', async () => {
    const unrecorded = submission([{ exits: [0] }]);
    const [first, second] = [await submit(unrecorded), await submit(unrecorded)];
    expect(second.jobs).toEqual(first.jobs);
    await submit(first);
    expect(cluster.jobs.size).toBe(1);
    await statesWhen(first, all('finished'));
    expect(starts(first, 0)).toHaveLength(1);
  });

  it('says why pods wait', async () => {
    cluster.unschedulable = '0/3 nodes are available: 3 Insufficient nvidia.com/gpu.';
    const one = await submit(submission([{ exits: [0] }]));
    const waits = { state: 'queued', code: 'Unschedulable', detail: cluster.unschedulable };
    expect((await states(one)).get(0)).toMatchObject(waits);
    cluster.unschedulable = undefined;
    cluster.imagePull = 'Back-off pulling image "lab/aurora:1"';
    const pulling = await statesWhen(one, (now) => now.get(0)!.code === 'ImagePullBackOff');
    expect(pulling.get(0)).toMatchObject({ state: 'queued', detail: cluster.imagePull });
    cluster.imagePull = undefined;
    await statesWhen(one, all('finished'));
  });

  it('tries a task whose pod failed again, but not after a mistake or more often than `retries` says', async () => {
    const one = await submit(submission([{ exits: [1, 0] }, { exits: [3] }, { exits: [1] }]));
    const ended = await statesWhen(one, (now) =>
      [...now.values()].every(({ state }) => !['queued', 'running'].includes(state)),
    );
    expect([...ended.values()].map(({ state, exitCode }) => [state, exitCode])).toEqual([
      ['finished', undefined],
      ['failed', 3],
      ['failed', 1],
    ]);
    expect([0, 1, 2].map((task) => starts(one, task).length)).toEqual([2, 1, 2]);
    expect(starts(one, 0)).toEqual(['uid-0 0 ', 'uid-0 1 ']);
    expect(cluster.mostAtOnce).toBe(1);
  });

  it.each([
    ['evicted', 'EvictionByEvictionAPI', (pod) => cluster.evict(pod)],
    ['preempted', 'PreemptionByScheduler', (pod) => cluster.evict(pod, 'PreemptionByScheduler')],
    ['lost with its node', 'DeletionByPodGC', (pod) => cluster.loseNode(pod)],
  ] as [string, string, (pod: ReturnType<SimulatedCluster['running']>[number]) => void][])(
    'starts a task again whose pod was %s, any number of times',
    async (_, reason, disrupt) => {
      const one = await submit(submission([{ exits: [0], lasts: FOREVER }]));
      for (const times of [1, 2, 3]) {
        await statesWhen(one, () => starts(one, 0).length === times && cluster.running().length === 1);
        const [pod] = cluster.running();
        expect((await states(one)).get(0)).toMatchObject({
          state: 'running',
          node: pod!.node,
          job: pod!.name,
        });
        cluster.unschedulable = 'no room';
        disrupt(pod!);
        const waits = await statesWhen(
          one,
          (now) => now.get(0)!.state === 'preempted' && now.get(0)!.job !== pod!.name,
        );
        expect(waits.get(0)).toMatchObject({ state: 'preempted', restarts: times, code: 'Unschedulable' });
        expect(pod!.conditions).toMatchObject([
          { type: 'PodScheduled' },
          { type: 'DisruptionTarget', reason },
        ]);
        cluster.unschedulable = undefined;
      }
      await statesWhen(one, () => starts(one, 0).length === 4);
      expect(starts(one, 0)).toEqual(['uid-0 0 ', 'uid-0 0 1', 'uid-0 0 2', 'uid-0 0 3']);
      expect(cluster.mostAtOnce).toBe(1);
    },
  );

  it('says that a pod was killed for its memory', async () => {
    const one = await submit(submission([{ exits: [0], lasts: FOREVER }]));
    for (const times of [1, 2]) {
      await statesWhen(one, () => starts(one, 0).length === times && cluster.running().length === 1);
      cluster.outOfMemory(cluster.running()[0]!);
    }
    const ended = await statesWhen(one, (now) => now.get(0)!.state === 'failed');
    expect(ended.get(0)).toMatchObject({ code: 'OOMKilled', exitCode: 137 });
  });

  it('knows nothing about a job that is gone, and about one that is there what it did before', async () => {
    const gone = await submit(submission([{ exits: [0], lasts: FOREVER }]));
    const stays = await submit(submission([{ exits: [0], lasts: FOREVER }]));
    await statesWhen(stays, () => cluster.running().length === 2);
    cluster.forget(gone.name);
    expect(
      (await scheduler.states([gone, stays])).map((s) => [...s.values()].map(({ state }) => state)),
    ).toEqual([[], ['running']]);
  });

  it('cancels single tasks, running ones and waiting ones, and no other', async () => {
    const one = await submit(submission(Array(4).fill({ exits: [0], lasts: FOREVER })));
    await statesWhen(one, () => starts(one, 0).length + starts(one, 1).length === 2);
    await scheduler.cancel(one, [0, 3]);
    const now = await statesWhen(
      one,
      (s) => [0, 3].every((i) => s.get(i)!.state === 'cancelled') && s.get(2)!.state === 'running',
    );
    expect([...now.values()].map(({ state }) => state)).toEqual([
      'cancelled',
      'running',
      'running',
      'cancelled',
    ]);
    expect(readFileSync(now.get(0)!.log!, 'utf8')).toContain('saved');
    // As soon as there is room for their next pods, which end at once.
    cluster.slots = 4;
    await statesWhen(one, () => [0, 3].every((i) => cluster.jobs.get(one.name)!.failed.has(i)));
    expect([starts(one, 0).length, starts(one, 3).length]).toEqual([1, 0]);
  });

  it('cancels all tasks by deleting the job; running ones save', async () => {
    const one = await submit(submission(Array(3).fill({ exits: [0], lasts: FOREVER })));
    await statesWhen(one, () => starts(one, 0).length + starts(one, 1).length === 2);
    const log = (await states(one)).get(0)!.log!;
    await scheduler.cancel(one, 'all');
    await statesWhen(one, (now) => now.size === 0);
    expect(readFileSync(log, 'utf8')).toContain('saved');
    expect(starts(one, 2)).toEqual([]);
    await scheduler.cancel(one, 'all');
  });

  it('starts nothing with another version of the trainer, and says so in the log', async () => {
    writeFileSync(join(root, 'image/SHA256SUMS'), 'another\n');
    try {
      const one = await submit(submission([{ exits: [0] }]));
      const ended = await statesWhen(one, (now) => now.get(0)!.state === 'failed');
      const why =
        "This image has another version of the trainer. Build it again from what 'aurora sweep --write' writes.";
      expect(ended.get(0)).toMatchObject({ exitCode: 2, detail: why });
      expect(readFileSync(ended.get(0)!.log!, 'utf8')).toBe(`${why}\n`);
      expect(cluster.podList()[0]!.pod.log).toBe(`${why}\n`);
      expect(starts(one, 0)).toEqual([]);
    } finally {
      fakeTrainer(join(root, 'image'));
    }
  });

  it('is unreachable, with the reason, while its API server is away: that is not the same as lost', async () => {
    const one = await submit(submission([{ exits: [0] }]));
    cluster.unreachable =
      'The connection to the server 10.0.0.1:6443 was refused - did you specify the right host or port?';
    await expect(states(one)).rejects.toMatchObject({
      kind: 'network',
      message: expect.stringMatching(
        /^Kubernetes \(context lab\) cannot be reached: The connection .* port\?\.$/,
      ),
    });
    cluster.unreachable = undefined;
    await statesWhen(one, all('finished'));
  });

  it.each([
    'Unable to connect to the server: net/http: TLS handshake timeout',
    'Unable to connect to the server: dial tcp: lookup api.lab: no such host',
    'error: http2: client connection lost',
    'Error from server: stream error: stream ID 1; INTERNAL_ERROR; received from peer',
    'error: unexpected EOF',
    'error: You must be logged in to the server (Unauthorized)',
    'Unable to connect to the server: getting credentials: exec: executable aws failed with exit code 255',
    'Error from server (ServiceUnavailable): the server is currently unable to handle the request',
    'Error from server (TooManyRequests): the server has received too many requests and has asked us to try again later',
    'Error from server: apiserver not ready',
    'Error from server: error dialing backend: dial tcp 10.0.0.7:10250: connect: no route to host',
    'Error from server (Expired): The provided continue parameter is too old to display a consistent list result',
  ])('is unreachable, and asked again: %s', async (message) => {
    cluster.unreachable = message;
    await expect(scheduler.check()).rejects.toMatchObject({ kind: 'network' });
  });

  it('is checked before anything is submitted: kubectl, version, rights, claim', async () => {
    await scheduler.check();
    cluster.forbidden = 'pods';
    await expect(scheduler.check()).rejects.toMatchObject({
      kind: 'experiment',
      message: expect.stringMatching(/refused: .*cannot list resource "pods"/),
      hint: expect.stringMatching(/^Ask whoever runs the cluster for this right/),
    });
    cluster.forbidden = undefined;
    cluster.claims.set('lab', { spec: { accessModes: ['ReadWriteOnce'] } });
    await expect(scheduler.check()).rejects.toMatchObject({
      kind: 'experiment',
      message: expect.stringMatching(/ReadWriteOnce/),
    });
    cluster.claims.clear();
    await expect(scheduler.check()).rejects.toMatchObject({
      kind: 'experiment',
      message: expect.stringMatching(/no persistent volume claim lab/),
    });
    vi.stubEnv('PATH', join(root, 'nothing'));
    await expect(scheduler.check()).rejects.toMatchObject({
      kind: 'network',
      hint: expect.stringMatching(/Install kubectl/),
    });
  });
});
