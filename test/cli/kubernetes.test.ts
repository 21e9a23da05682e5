import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ClusterFile } from '../../src/protocol/run-files/cluster';
import { experimentSweeps } from '../../src/runs/layout';
import type { SweepRecord } from '../../src/runs/sweep/record';
import { SimulatedCluster } from '../kubernetes/simulated-cluster';
import type { SimulatedPod } from '../kubernetes/simulated-pod';
import { standInKubectl, type StandIn } from '../kubernetes/stand-in';
import { readRun } from '../read-run';
import { scratchFolder } from '../scratch';
import { CLI, Lab, type Outcome } from './lab';
import { bits } from './task';
import { until } from '../until';

const RATES = [0.01, 0.005, 0.002, 0.001];

describe.skipIf(process.platform === 'win32')('a sweep on Kubernetes', () => {
  const root = scratchFolder('kubernetes');
  const written = join(root, 'written');
  const labs: Lab[] = [];
  let cluster: SimulatedCluster;
  let standIn: StandIn;

  function lab(sweep: object, training: object = {}): Lab {
    const made = new Lab({
      training: { epochs: 3, evaluateEvery: 10, checkpointEvery: 2, ...training },
      sweep,
      cluster: { kubernetes: { image: 'lab/aurora:1', claim: 'lab', parallel: 2 } },
    });
    // The volume, which pods mount at the same path as this machine.
    const text = JSON.parse(readFileSync(made.experiment, 'utf8')) as { cluster: { kubernetes: object } };
    Object.assign(text.cluster.kubernetes, { folder: made.folder });
    writeFileSync(made.experiment, JSON.stringify(text));
    labs.push(made);
    return made;
  }

  beforeAll(() => {
    const one = lab({ type: 'grid', parameters: { 'training.learningRate': RATES } });
    expect(
      one.run('sweep', one.experiment, '--on', 'kubernetes', '--dry-run', '--write', written),
    ).toMatchObject({
      code: 0,
    });
  });
  const begin = async () => {
    cluster = new SimulatedCluster(join(written, 'image/trainer'));
    cluster.claims.set('lab', { spec: { accessModes: ['ReadWriteMany'] } });
    standIn = await standInKubectl(join(root, 'bin'), cluster);
  };
  afterEach(async () => {
    cluster?.close();
    await standIn?.close();
  });
  afterAll(() => labs.forEach((one) => one.remove()));

  /** `aurora sweep` with the stand-in on its PATH; this process answers the stand-in meanwhile. */
  function sweep(one: Lab, ...args: string[]): { outcome: Promise<Outcome>; kill: () => void } {
    const child = spawn(process.execPath, [CLI, 'sweep', one.experiment, '--on', 'kubernetes', ...args], {
      env: { ...process.env, PATH: standIn.path, AURORA_CLUSTER_LOOK_MS: '200' },
    });
    let [out, err] = ['', ''];
    child.stdout.on('data', (text) => (out += text));
    child.stderr.on('data', (text) => (err += text));
    const outcome = new Promise<Outcome>((done) => child.on('close', (code) => done({ code, out, err })));
    return { outcome, kill: () => child.kill('SIGKILL') };
  }

  const folderOf = (one: Lab): string => {
    const sweeps = experimentSweeps(one.experiment);
    return join(sweeps, readdirSync(sweeps)[0]!);
  };
  const json = <T>(one: Lab, name: string): T =>
    JSON.parse(readFileSync(join(folderOf(one), name), 'utf8')) as T;
  const runsOf = (one: Lab): string[] =>
    json<SweepRecord>(one, 'sweep.json').trials.map(({ run }) => one.path(join('.aurora/runs/tiny', run!)));
  const stops = (run: string) => readRun(run).events.flatMap((e) => (e.kind === 'stopped' ? [e.reason] : []));

  /** True if its trial has saved a step. */
  const hasStepped = (pod: SimulatedPod): boolean => {
    const { index, job } = pod;
    const [submission] = job.manifest.spec.template.spec.containers[0]!.args as [string];
    const task = JSON.parse(readFileSync(join(submission, 'tasks', `${index}.json`), 'utf8')) as {
      run: string;
    };
    const checkpoints = join(task.run, 'checkpoints');
    return existsSync(checkpoints) && readdirSync(checkpoints).some((name) => /^step-0*[1-9]/.test(name));
  };

  it('writes the image and the manifests without asking the cluster', () => {
    expect(readdirSync(written).sort()).toEqual(['image', 'job.yaml']);
    expect(readFileSync(join(written, 'image/Dockerfile'), 'utf8')).toContain('COPY trainer /opt/aurora');
    const sums = spawnSync('sha256sum', ['--check', '--strict', '--quiet', 'SHA256SUMS'], {
      cwd: join(written, 'image/trainer'),
      encoding: 'utf8',
    });
    expect(sums).toMatchObject({ status: 0, stdout: '' });
    expect(readFileSync(join(written, 'job.yaml'), 'utf8')).toMatch(/^apiVersion: batch\/v1\nkind: Job\n/);
  });

  it('trains every trial like a local run, although pods are evicted, killed and lost with their nodes', async () => {
    await begin();
    const one = lab({ type: 'grid', parameters: { 'training.learningRate': RATES } }, { epochs: 8 });
    const { outcome } = sweep(one);
    const did: string[] = [];
    for (const what of ['evict', 'outOfMemory', 'loseNode'] as const) {
      await until(() => cluster.running().some((pod) => hasStepped(pod)));
      const pod = cluster.running().find((p) => hasStepped(p))!;
      cluster[what](pod);
      did.push(pod.name);
      await until(() => pod.isOver);
    }
    expect(await outcome).toMatchObject({ code: 0 });
    expect(cluster.mostAtOnce).toBe(1);
    const local = lab({ type: 'grid', parameters: { 'training.learningRate': RATES } }, { epochs: 8 });
    expect(
      local.run('sweep', local.experiment, '--threads', '1', '--device', 'cpu', '--on', 'local'),
    ).toMatchObject({
      code: 0,
    });
    expect(runsOf(one).map(bits)).toEqual(runsOf(local).map(bits));
    expect(runsOf(one).flatMap(stops)).toEqual(['preempted']);
    const { trials, place } = json<ClusterFile>(one, 'cluster.json');
    expect(Object.values(trials).map(({ state }) => state)).toEqual(Array(4).fill('finished'));
    expect(place).toBe('');
  });

  it('submits trials again whose job is gone, to the same cluster, and says so, also after a kill of the command', async () => {
    await begin();
    const one = lab(
      { type: 'grid', parameters: { 'training.learningRate': RATES.slice(0, 2) } },
      { epochs: 8 },
    );
    const first = sweep(one);
    await until(() => cluster.running().some(hasStepped));
    first.kill();
    await first.outcome;
    const [job] = cluster.jobs.keys();
    cluster.forget(job!);
    // The sweep stays where it is, although the user looks at another cluster now.
    standIn.commands.current = 'other';
    const { code, err, out } = await sweep(one).outcome;
    expect({ code, err }).toMatchObject({ code: 0 });
    expect(`${out}${err}`).toMatch(/lost/i);
    expect(cluster.jobs.size).toBeGreaterThan(0);
    expect(cluster.jobs.has(job!)).toBe(false);
    for (const run of runsOf(one)) expect(readRun(run).result).toMatchObject({ outcome: 'finished' });
    expect(cluster.mostAtOnce).toBe(1);
  });

  it('reports a trial that failed and finishes the others, while the API server is away for a moment', async () => {
    await begin();
    const one = lab({ type: 'grid', parameters: { 'training.learningRate': [0.01, 1e30] } });
    const { outcome } = sweep(one);
    await until(() => cluster.running().length > 0);
    cluster.unreachable = 'Unable to connect to the server: dial tcp 10.0.0.1:6443: i/o timeout';
    await wait(1500);
    cluster.unreachable = undefined;
    const { code, out, err } = await outcome;
    expect(code).toBe(1);
    expect(`${out}${err}`).toContain('i/o timeout');
    const [job] = cluster.jobs.values();
    expect([[...job!.completed], [...job!.failed]]).toEqual([[0], [1]]);
    expect(job!.countsOf(1)).toEqual({ failures: 0, ignored: 0 });
  });

  it('stops one trial, and trains the others', async () => {
    await begin();
    // The first would not end before it is cancelled, on any machine.
    const one = lab({ type: 'grid', parameters: { 'training.epochs': [100_000, 3] } });
    const { outcome } = sweep(one);
    await until(() => cluster.running().some((pod) => pod.index === 0 && hasStepped(pod)));
    expect(await sweep(one, '--cancel', '1').outcome).toMatchObject({ code: 0 });
    expect(await outcome).toMatchObject({ code: 130 });
    const [first, second] = runsOf(one);
    expect(stops(first!)).toEqual(['requested']);
    expect(readRun(second!).result).toMatchObject({ outcome: 'finished' });
  });
});
