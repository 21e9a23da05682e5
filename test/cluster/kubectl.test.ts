import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { JobRef, JobState, Submission } from '../../src/executors/cluster/scheduler';
import { kubectl } from '../../src/executors/kubernetes/kubectl';
import { MountedFiles } from '../../src/executors/kubernetes/cluster-files';
import { KubernetesScheduler } from '../../src/executors/kubernetes/kubernetes-scheduler';
import { VolumePod } from '../../src/executors/kubernetes/volume-pod';
import { yamlText } from '../../src/executors/kubernetes/write-image';
import { apiServer, type ApiServer } from '../kubernetes/api-server';
import { fakeTrainer, type FakeTask } from '../kubernetes/fake-trainer';
import { SimulatedCluster } from '../kubernetes/simulated-cluster';
import { scratchFolder } from '../scratch';
import { until } from '../until';

const HAS_KUBECTL = spawnSync('kubectl', ['version', '--client']).status === 0;

/** Everything that we ask of `kubectl`, asked of Debian's own; the API server is a stand-in. */
describe.skipIf(!HAS_KUBECTL)("Debian's kubectl", () => {
  const root = scratchFolder('kubectl');
  const trainer = fakeTrainer(join(root, 'image'));
  const settings = { image: 'lab/aurora:1', claim: 'lab', context: 'lab', folder: root, parallel: 2 };
  let cluster: SimulatedCluster;
  let server: ApiServer;
  let scheduler: KubernetesScheduler;
  let count = 0;

  beforeEach(async () => {
    cluster = new SimulatedCluster(join(root, 'image'));
    cluster.claims.set('lab', { spec: { accessModes: ['ReadWriteMany'] } });
    server = await apiServer(join(root, 'server'), cluster);
    for (const [name, value] of Object.entries(server.env)) vi.stubEnv(name, value);
    scheduler = new KubernetesScheduler(settings, kubectl(settings), new MountedFiles(settings, trainer));
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    cluster.close();
    await server.close();
  });

  async function submit(tasks: readonly FakeTask[]): Promise<Submission> {
    const folder = join(root, 'submissions', String(count++));
    mkdirSync(join(folder, 'tasks'), { recursive: true });
    for (const [i, task] of tasks.entries())
      writeFileSync(join(folder, 'tasks', `${i}.json`), JSON.stringify(task));
    const named = tasks.map((_, i) => ({ trial: `t${i}`, number: i + 1, run: `r${i}`, step: 0 }));
    const one: Submission = { name: `aurora-test-${count}`, folder, tasks: named, jobs: [] };
    const jobs: JobRef[] = [];
    await scheduler.submit(one, (job) => jobs.push(job));
    return { ...one, jobs };
  }
  const states = async (one: Submission): Promise<JobState[]> => [
    ...(await scheduler.states([one]))[0]!.values(),
  ];
  const statesWhen = (one: Submission, is: (states: JobState[]) => boolean) =>
    until(async () => {
      const now = await states(one);
      return is(now) && now;
    }, 50);

  it('submits with strict validation by the schema, follows to the end, and adopts what is there', async () => {
    await scheduler.check();
    const one = await submit([{ exits: [0] }, { exits: [1, 0] }, { exits: [3] }]);
    const ended = await statesWhen(one, (now) => now.every(({ state }) => /finished|failed/.test(state)));
    expect(ended.map(({ state, exitCode }) => [state, exitCode])).toEqual([
      ['finished', undefined],
      ['finished', undefined],
      ['failed', 3],
    ]);
    const again: JobRef[] = [];
    await scheduler.submit({ ...one, jobs: [] }, (job) => again.push(job));
    expect(again).toEqual(one.jobs);
    expect(server.changes[0]).toMatch(
      /^POST \/apis\/batch\/v1\/namespaces\/team\/jobs\?.*fieldValidation=Strict/,
    );
  });

  it('reports what the schema refuses, in the words of the server', async () => {
    const odd = { ...settings, tolerations: [{ key: 'gpu', effects: 'NoSchedule' }] };
    scheduler = new KubernetesScheduler(odd, kubectl(odd), new MountedFiles(odd, trainer));
    await expect(submit([{ exits: [0] }])).rejects.toMatchObject({
      kind: 'experiment',
      message: expect.stringMatching(/^Kubernetes \(context lab\) refused: .*tolerations\/0.*"effects"/),
    });
    expect(cluster.jobs.size).toBe(0);
  });

  it('asks for many pods in pages, and cancels many', async () => {
    cluster.unschedulable = 'no room';
    const one = await submit(Array<FakeTask>(602).fill({ exits: [0], lasts: 600_000 }));
    cluster.jobs.get(one.name)!.manifest.spec.parallelism = 602;
    const waits = await statesWhen(one, (now) => now.every(({ code }) => code === 'Unschedulable'));
    expect(waits).toHaveLength(602);
    const pages = server.lists.slice(-2).map((url) => new URL(url, 'http://server').searchParams);
    expect(pages.map((query) => [query.get('limit'), query.get('continue')])).toEqual([
      ['500', null],
      ['500', '500'],
    ]);
    await scheduler.cancel(one, [...Array(601).keys()]);
    const now = await states(one);
    expect(now.map(({ state }) => state)).toEqual([...Array<string>(601).fill('cancelled'), 'queued']);
    expect(server.changes.filter((change) => change.startsWith('DELETE'))).toHaveLength(601);
    // Proxies before an API server refuse long ones.
    expect(Math.max(...server.lists.map((url) => url.length))).toBeLessThan(8000);
  });

  it('cancels tasks, and whole jobs', async () => {
    const one = await submit(Array<FakeTask>(3).fill({ exits: [0], lasts: 600_000 }));
    await statesWhen(one, (now) => now.filter(({ state }) => state === 'running').length === 2);
    await scheduler.cancel(one, [0]);
    await statesWhen(one, (now) => now[0]!.state === 'cancelled' && now[2]!.state === 'running');
    await scheduler.cancel(one, 'all');
    await statesWhen(one, (now) => now.length === 0);
    await scheduler.cancel(one, 'all');
    expect(server.changes.filter((change) => change.startsWith('DELETE')).length).toBeGreaterThanOrEqual(2);
  });

  it('reads the manifests that are written for people, and finds the same objects in them', async () => {
    const one = await submit([{ exits: [0] }]);
    for (const object of [
      await scheduler.manifest(one),
      new VolumePod(kubectl(settings), settings).manifest(),
    ]) {
      const file = join(root, 'manifest.yaml');
      writeFileSync(file, yamlText(object));
      const args = ['--context=lab', 'create', '--dry-run=client', '--output=json', `--filename=${file}`];
      const { stdout } = await promisify(execFile)('kubectl', args, { env: process.env });
      const read = JSON.parse(stdout) as { metadata: object };
      expect(read).toEqual({ ...object, metadata: { ...object.metadata, namespace: 'team' } });
    }
    expect(existsSync(join(one.folder, 'job.yaml'))).toBe(true);
    expect(readFileSync(join(one.folder, 'job.yaml'), 'utf8')).toBe(yamlText(await scheduler.manifest(one)));
  });

  it('stays with the context and the namespace in which a sweep began, although the user has switched to others since', async () => {
    const other = new SimulatedCluster(join(root, 'image'));
    const second = await apiServer(join(root, 'other'), other, 'other');
    vi.stubEnv('KUBECONFIG', [server, second].map(({ env }) => env.KUBECONFIG).join(delimiter));
    const user = (...args: string[]) => promisify(execFile)('kubectl', ['config', ...args]);
    try {
      await user('use-context', 'lab');
      const open = { ...settings, context: undefined };
      const fresh = () => new KubernetesScheduler(open, kubectl(open), new MountedFiles(open, trainer));
      scheduler = fresh();
      await scheduler.check();
      const there = await scheduler.cluster();
      expect(there).toMatchObject({ context: 'lab', namespace: 'team' });
      const one = await submit([{ exits: [0], lasts: 600_000 }]);
      await user('use-context', 'other');
      await user('set-context', 'lab', '--namespace=elsewhere');
      await statesWhen(one, (now) => now[0]?.state === 'running');
      // Another process continues it.
      scheduler = fresh();
      scheduler.remember({ ...one, cluster: there });
      expect(await scheduler.cluster()).toEqual(there);
      expect(scheduler.name).toBe('Kubernetes (context lab)');
      expect((await states(one)).map(({ state }) => state)).toEqual(['running']);
      await scheduler.cancel(one, 'all');
      await statesWhen(one, (now) => now.length === 0);
      expect(second.changes).toEqual([]);
      // A sweep that begins now runs where the user is now.
      expect(await fresh().cluster()).toMatchObject({ context: 'other', namespace: 'team' });
    } finally {
      other.close();
      await second.close();
    }
  });

  it('follows no recorded context if the settings name another one', async () => {
    scheduler.remember({ cluster: { name: '', context: 'other', namespace: 'elsewhere' } });
    expect(await scheduler.cluster()).toMatchObject({ context: 'lab', namespace: 'team' });
  });

  it('asks without a context where there is none, as in a pod', async () => {
    vi.stubEnv('KUBECONFIG', join(root, 'no-config'));
    const client = kubectl({ namespace: 'team' });
    expect(await client.place()).toEqual({ namespace: 'team' });
    expect(await client.options()).toEqual(['--namespace=team']);
  });

  it('reports a server that is away, a context that does not exist, and a claim that is missing', async () => {
    cluster.claims.clear();
    await expect(scheduler.check()).rejects.toMatchObject({ kind: 'experiment' });
    const other = kubectl({ context: 'nowhere' });
    await expect(other.json(['get', 'jobs'])).rejects.toMatchObject({
      message: expect.stringMatching(/refused: .*context.*nowhere/),
    });
    await server.close();
    await expect(scheduler.check()).rejects.toMatchObject({
      kind: 'network',
      message: expect.stringMatching(/^Kubernetes \(context lab\) cannot be reached: .* refused/),
    });
  });
});
