import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { SweepSpec } from '../../src/experiment/sweep';
import type { ClusterFile } from '../../src/protocol/run-files/cluster';
import { ownerFile } from '../../src/files/fence';
import { runPaths } from '../../src/runs/layout';
import { readStatus } from '../../src/runs/status';
import { readSweep, type SweepRecord } from '../../src/runs/sweep/record';
import { readRun } from '../read-run';
import { scratchFolder } from '../scratch';
import { CLI, Lab } from './lab';
import { buildWithSimulatedCluster } from './simulated/build';
import { LARGEST_VARIABLE, PORT_VARIABLE } from './simulated/protocol';
import { SimulatedCluster } from './simulated/scheduler';
import { until } from '../until';

/** The programs, with a simulated scheduler in place of Slurm. */
const built = scratchFolder('simulated');
let program: string;
beforeAll(async () => (program = await buildWithSimulatedCluster(built)));

const labs: Lab[] = [];
const clusters: SimulatedCluster[] = [];
const queues: ChildProcess[] = [];
afterEach(() => {
  for (const queue of queues.splice(0)) queue.kill('SIGKILL');
  for (const cluster of clusters.splice(0)) cluster.stop();
  for (const lab of labs.splice(0)) lab.remove();
});

function labWith(sweep: Partial<SweepSpec>, training: object = {}): Lab {
  const lab = new Lab({
    training: { epochs: 1, evaluateEvery: 4, ...training },
    sweep,
    cluster: { slurm: { parallel: 2 } },
  });
  labs.push(lab);
  return lab;
}

const seeds = (...some: number[]): Partial<SweepSpec> => ({
  type: 'grid',
  parameters: { 'training.seed': some },
});

/** Far longer than a test, however fast the machine. */
const LONG = { epochs: 40_000, evaluateEvery: 100_000, checkpointEvery: 3 };

const runsOf = (lab: Lab) => lab.path('.aurora/runs/tiny');
const runNames = (lab: Lab) => (existsSync(runsOf(lab)) ? readdirSync(runsOf(lab)) : []);

function folderOf(lab: Lab): string {
  const sweeps = lab.path('.aurora/sweeps/tiny');
  return join(sweeps, readdirSync(sweeps)[0]);
}

const recordOf = (lab: Lab): SweepRecord => readSweep(folderOf(lab))!;
const runOf = (lab: Lab, number: number): string =>
  join(runsOf(lab), recordOf(lab).trials.find((t) => t.number === number)!.run!);

const clusterFile = (lab: Lab): ClusterFile =>
  JSON.parse(readFileSync(join(folderOf(lab), 'cluster.json'), 'utf8')) as ClusterFile;

const stateOf = (lab: Lab, number: number) => {
  const { id } = recordOf(lab).trials.find((t) => t.number === number)!;
  return clusterFile(lab).trials[id]?.state;
};

const waits: NodeJS.ProcessEnv = { AURORA_CLUSTER_LOOK_MS: '100' };

class Queue {
  out = '';
  err = '';
  readonly ended: Promise<number | null>;
  private constructor(readonly child: ChildProcess) {
    queues.push(child);
    child.stdout!.on('data', (text: Buffer) => (this.out += text.toString()));
    child.stderr!.on('data', (text: Buffer) => (this.err += text.toString()));
    this.ended = new Promise((resolve) => child.once('close', resolve));
  }

  static start(lab: Lab, port: number, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Queue {
    const place = args.includes('--on') ? [] : ['--on', 'slurm'];
    const all = [program, 'sweep', lab.experiment, ...place, ...args];
    return new Queue(
      spawn(process.execPath, all, {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, ...waits, [PORT_VARIABLE]: String(port), ...env },
      }),
    );
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
    this.child.kill(signal);
    return this.ended;
  }
}

async function clusterWith(slots = 2): Promise<{ cluster: SimulatedCluster; port: number }> {
  const cluster = new SimulatedCluster(CLI, slots);
  clusters.push(cluster);
  return { cluster, port: await cluster.start() };
}

const bits = (run: string): string[] =>
  ['best', 'last'].map((which) =>
    createHash('sha256')
      .update(readFileSync(join(run, 'adapter', which, 'adapter_model.safetensors')))
      .digest('hex'),
  );

/** The results of each trial, by id, without those that depend on the clock. */
function results(lab: Lab): Map<string, unknown> {
  const { trials } = recordOf(lab);
  // Each trial that has begun has exactly one run.
  const begun = trials.filter((t) => t.run !== undefined && existsSync(join(runsOf(lab), t.run)));
  expect(runNames(lab).sort()).toEqual(begun.map((t) => t.run!).sort());
  return new Map(
    begun.map(({ id, run }) => {
      const { events, scalars } = readRun(join(runsOf(lab), run!));
      const last = events.findLast((e) => e.kind === 'finished' || e.kind === 'stopped')!;
      const evaluations = events.flatMap((e) =>
        e.kind === 'evaluation' ? [{ ...e.metrics, step: e.step }] : [],
      );
      const end = last.kind === 'stopped' ? last.reason : last.kind;
      const isWhole = end === 'finished';
      return [
        id,
        {
          ...{ end, evaluations, losses: [...scalars.column('loss')!] },
          ...(isWhole && { bits: bits(join(runsOf(lab), run!)) }),
        },
      ];
    }),
  );
}

function locally(sweep: Partial<SweepSpec>, training: object = {}): Map<string, unknown> {
  const lab = labWith(sweep, training);
  const { code } = lab.run('sweep', lab.experiment, '--parallel', '2', '--threads', '1', '--device', 'cpu');
  expect(code).toBe(0);
  return results(lab);
}

describe('a sweep on a cluster', () => {
  it('survives kill -9 of the queue, lost nodes, preemption and a scheduler that forgets, and learns the same bits', async () => {
    const sweep = seeds(1, 2, 3, 4, 5);
    const training = { epochs: 24, checkpointEvery: 20 };
    const lab = labWith(sweep, training);
    const { cluster, port } = await clusterWith();
    // Two jobs, and the process is killed when the scheduler has the first and this machine does not know it.
    const split = { [LARGEST_VARIABLE]: '3' };
    let queue = Queue.start(lab, port, [], split);
    cluster.accepted = () => queue.child.kill('SIGKILL');
    await queue.ended;
    expect(cluster.jobs).toHaveLength(1);
    cluster.accepted = undefined;
    queue = Queue.start(lab, port, [], split);
    await until(() => cluster.jobs.length === 2);
    // Jobs go on without it.
    await queue.kill();
    await until(() => cluster.running().some((t) => existsSync(runPaths(runOf(lab, t.number)).events)));
    const saved = (number: number) => existsSync(join(runOf(lab, number), 'checkpoints/step-000020'));
    const [lost, preempted] = cluster.running();
    await until(() => saved(lost.number) && saved(preempted.number));
    cluster.lose(lost);
    cluster.preempt(preempted);
    await until(() => lost.state === 'lost' && preempted.restarts === 1);
    queue = Queue.start(lab, port, ['--json'], split);
    await until(() => queue.out.includes('"state":"lost"') && cluster.jobs.length === 3);
    await queue.kill();
    // Trials that have ended are known by their folders alone.
    await until(() => cluster.tasks().every(({ state }) => state !== 'running' && state !== 'queued'));
    cluster.forget();
    queue = Queue.start(lab, port);
    expect(await queue.ended).toBe(0);
    expect(cluster.twice).toEqual([]);
    expect(queue.out).toMatch(/^Best: #\d/m);
    // One more start for each trial that was interrupted.
    expect(cluster.starts.toSorted()).toEqual([1, 2, 3, 4, 5, lost.number, preempted.number].sort());
    expect(results(lab)).toEqual(locally(sweep, training));
    expect(Object.values(clusterFile(lab).trials).map(({ state }) => state)).toEqual(
      Array(5).fill('finished'),
    );
  }, 300_000);

  it('prunes the same trials as on this machine', async () => {
    const rates = [0.00001, 0.00003, 0.003, 0.01];
    const sweep: Partial<SweepSpec> = {
      ...{ type: 'list', trials: rates.map((r) => ({ 'training.learningRate': r })) },
      pruning: { eta: 2, minEpochs: 1 },
    };
    const training = { epochs: 4, evaluateEvery: 'epoch' };
    const lab = labWith(sweep, training);
    const { cluster, port } = await clusterWith();
    expect(await Queue.start(lab, port).ended).toBe(0);
    expect(cluster.twice).toEqual([]);
    // All, then half of them, then the best.
    expect(cluster.jobs.map(({ tasks }) => tasks.length)).toEqual([4, 2, 1]);
    expect(results(lab)).toEqual(locally(sweep, training));
  });

  it('searches learning rates with the first seed, and trains the others with the best', async () => {
    const sweep: Partial<SweepSpec> = {
      ...{ type: 'grid', learningRateSearch: { seeds: 1 } },
      parameters: { 'training.learningRate': [0.00001, 0.01], 'training.seed': [1, 2] },
    };
    const lab = labWith(sweep);
    const { cluster, port } = await clusterWith();
    expect(await Queue.start(lab, port).ended).toBe(0);
    expect(cluster.jobs.map(({ tasks }) => tasks.length)).toEqual([2, 1]);
    expect(recordOf(lab).trials.filter((t) => t.passedOver)).toHaveLength(1);
    expect(results(lab)).toEqual(locally(sweep));
  });

  it('gives up on a trial that is lost three times without a step, says why, and finishes the others', async () => {
    const lab = labWith(seeds(1, 2));
    const { cluster, port } = await clusterWith();
    cluster.crashes = ({ number }) => number === 1;
    const queue = Queue.start(lab, port);
    expect(await queue.ended).toBe(1);
    expect(cluster.starts.toSorted()).toEqual([1, 1, 1, 2]);
    expect(queue.out).toMatch(/^#1 .*failed: .* 3 times at step 0/m);
    expect(queue.out).toMatch(/^ {2}See its log, .*\/submissions\/3\/logs\/\d+_0\.log\.$/m);
  });

  it('gives up on it also if every call only submits, as cron does, until it is asked to retry', async () => {
    const lab = labWith(seeds(1));
    const { cluster, port } = await clusterWith();
    cluster.crashes = () => true;
    const call = async (...more: string[]) => {
      const queue = Queue.start(lab, port, ['--no-wait', ...more]);
      const code = await queue.ended;
      await until(() => cluster.tasks().every(({ state }) => state === 'failed'));
      return { code, out: queue.out };
    };
    for (let calls = 0; calls < 4; calls++) await call();
    const last = await call();
    expect(cluster.starts).toEqual([1, 1, 1]);
    expect(last).toEqual({ code: 1, out: expect.stringMatching(/^#1 .*failed: .* 3 times at step 0/m) });
    await call('--retry-failed');
    expect(cluster.starts.length).toBeGreaterThan(3);
    const tries = cluster.starts.length;
    expect((await call()).code).toBe(1);
    expect(cluster.starts).toHaveLength(tries);
  });

  it('loses nothing while the scheduler is not responding, and says so once', async () => {
    const lab = labWith(seeds(1), LONG);
    const { cluster, port } = await clusterWith();
    const queue = Queue.start(lab, port);
    await until(() => stateOf(lab, 1) === 'running');
    cluster.answers = false;
    await until(() => clusterFile(lab).unreachable !== undefined);
    await wait(1000);
    expect(clusterFile(lab).trials[recordOf(lab).trials[0].id]).toMatchObject({ state: 'running' });
    cluster.answers = true;
    await until(() => queue.err.includes('is responding again'));
    expect(queue.err.split('is not responding')).toHaveLength(2);
    await until(() => clusterFile(lab).unreachable === undefined);
    expect(cluster.starts).toEqual([1]);
  });

  it('leaves its jobs to the cluster on Ctrl-C, follows them again, and ends them on request', async () => {
    const lab = labWith(seeds(1, 2, 3), LONG);
    const { cluster, port } = await clusterWith();
    const submitted = Queue.start(lab, port, ['--no-wait']);
    expect(await submitted.ended).toBe(0);
    expect(submitted.out).toMatch(/^\d queued and \d running on Slurm\. Run the same command/m);
    const queue = Queue.start(lab, port);
    await until(() => readStatus(folderOf(lab))?.pid === queue.child.pid && stateOf(lab, 2) === 'running');
    expect(await queue.kill('SIGINT')).toBe(130);
    expect(cluster.running()).toHaveLength(2);
    // Another place is refused, and the sweep continues where it began.
    const local = lab.run('sweep', lab.experiment, '--on', 'local');
    expect([local.code, local.err]).toEqual([2, expect.stringContaining('began on Slurm')]);
    const again = Queue.start(lab, port);
    await until(() => readStatus(folderOf(lab))?.pid === again.child.pid && stateOf(lab, 3) === 'queued');
    mkdirSync(runPaths(folderOf(lab)).control, { recursive: true });
    writeFileSync(join(runPaths(folderOf(lab)).control, 'stop'), '');
    expect(await again.ended).toBe(130);
    expect(cluster.tasks().map(({ state, exitCode }) => [state, exitCode])).toEqual([
      ['failed', 130],
      ['failed', 130],
      ['cancelled', undefined],
    ]);
    expect([1, 2].map((n) => readStatus(runOf(lab, n))?.state)).toEqual(['stopped', 'stopped']);
    expect(runNames(lab)).toHaveLength(2);
  });

  it('cancels single trials, with a queue and without one, and does not submit them again until asked', async () => {
    const lab = labWith(seeds(1, 2, 3), LONG);
    const { cluster, port } = await clusterWith(2);
    const queue = Queue.start(lab, port);
    await until(() => stateOf(lab, 2) === 'running' && stateOf(lab, 3) === 'queued');
    const asked = Queue.start(lab, port, ['--cancel', '3']);
    expect([await asked.ended, asked.err]).toEqual([0, expect.stringContaining('cancels them')]);
    await until(() => stateOf(lab, 3) === 'cancelled');
    // Somebody else's scancel counts the same.
    cluster.cancel(cluster.running().filter(({ number }) => number === 2));
    await until(() => stateOf(lab, 2) === 'cancelled');
    await wait(1000);
    expect(cluster.starts.toSorted()).toEqual([1, 2]);
    await queue.kill();
    const wrong = Queue.start(lab, port, ['--cancel', '9']);
    expect([await wrong.ended, wrong.err]).toEqual([2, expect.stringContaining('are 1 to 3')]);
    expect(await Queue.start(lab, port, ['--cancel', 'all']).ended).toBe(0);
    expect(readStatus(runOf(lab, 1))?.state).toBe('stopped');
    expect(cluster.running()).toEqual([]);
    // The next call trains them all.
    const next = Queue.start(lab, port);
    await until(() => cluster.jobs.length === 2 && cluster.jobs[1].tasks.length === 3);
    await next.kill();
  });

  it('cancels the trials of a file that was changed since, and asks which if several of its sweeps wait', async () => {
    const lab = labWith(seeds(1, 2), LONG);
    const { cluster, port } = await clusterWith();
    const change = (rate: number) => {
      const spec = JSON.parse(lab.read('tiny.aurora.json')) as { training: { learningRate: number } };
      spec.training.learningRate = rate;
      lab.write('tiny.aurora.json', JSON.stringify(spec));
    };
    expect(await Queue.start(lab, port, ['--no-wait']).ended).toBe(0);
    await until(() => cluster.running().length === 2);
    change(0.001);
    const one = Queue.start(lab, port, ['--cancel', '2']);
    expect([await one.ended, one.err]).toEqual([0, expect.stringContaining('was changed since')]);
    expect(cluster.running().map(({ number }) => number)).toEqual([1]);
    expect(await Queue.start(lab, port, ['--no-wait']).ended).toBe(0);
    change(0.002);
    const several = Queue.start(lab, port, ['--cancel', '1']);
    const sweeps = readdirSync(lab.path('.aurora/sweeps/tiny'));
    expect([await several.ended, several.err]).toEqual([2, expect.stringContaining(sweeps.join(', '))]);
    expect(await Queue.start(lab, port, ['--cancel', 'all']).ended).toBe(0);
    expect(cluster.tasks().filter(({ state }) => state === 'running' || state === 'queued')).toEqual([]);
    expect(readdirSync(lab.path('.aurora/sweeps/tiny'))).toEqual(sweeps);
  });

  it('submits nothing while it cancels', async () => {
    const lab = labWith(seeds(1, 2, 3), LONG);
    const { cluster, port } = await clusterWith();
    const split = { [LARGEST_VARIABLE]: '2' };
    const queue = Queue.start(lab, port, [], split);
    cluster.accepted = () => queue.child.kill('SIGKILL');
    await queue.ended;
    cluster.accepted = undefined;
    expect(await Queue.start(lab, port, ['--cancel', 'all'], split).ended).toBe(0);
    expect(cluster.jobs).toHaveLength(1);
    expect(cluster.running()).toEqual([]);
  });

  it('continues elsewhere once nothing waits or runs there any more, with the same bits', async () => {
    const sweep = seeds(1, 2, 3);
    const training = { epochs: 24, checkpointEvery: 20 };
    const lab = labWith(sweep, training);
    const { cluster, port } = await clusterWith(1);
    expect(await Queue.start(lab, port, ['--no-wait']).ended).toBe(0);
    await until(() => existsSync(join(runOf(lab, 1), 'checkpoints/step-000020')));
    const here = ['--on', 'local', '--device', 'cpu'];
    const refused = Queue.start(lab, port, here);
    expect([await refused.ended, refused.err]).toEqual([
      2,
      expect.stringContaining('began on Slurm, where 3 trials wait or run.'),
    ]);
    expect(await Queue.start(lab, port, ['--cancel', 'all']).ended).toBe(0);
    expect(await Queue.start(lab, port, here).ended).toBe(0);
    expect(cluster.starts).toEqual([1]);
    expect(existsSync(join(folderOf(lab), 'cluster.json'))).toBe(false);
    expect(recordOf(lab).on).toBeUndefined();
    expect(results(lab)).toEqual(locally(sweep, training));
    // A trial that has ended is not trained again, wherever the sweep continues.
    expect(await Queue.start(lab, port).ended).toBe(0);
    expect(cluster.starts).toEqual([1]);
  });

  it('trains the trials of a copy there, while the original trains on, both with the same bits', async () => {
    const sweep = seeds(1, 2, 3);
    const training = { epochs: 12, checkpointEvery: 20 };
    const lab = labWith(sweep, training);
    const { cluster, port } = await clusterWith(2);
    expect(await Queue.start(lab, port, ['--no-wait']).ended).toBe(0);
    await until(() => existsSync(join(runOf(lab, 1), 'checkpoints/step-000020')));
    const copy = lab.copy();
    labs.push(copy);
    const there = Queue.start(copy, port);
    expect([await there.ended, there.err]).toEqual([0, expect.stringContaining('is a copy of')]);
    expect(await Queue.start(lab, port).ended).toBe(0);
    expect(cluster.starts.toSorted()).toEqual([1, 1, 2, 2, 3, 3]);
    const learned = locally(sweep, training);
    expect([results(lab), results(copy)]).toEqual([learned, learned]);
  }, 300_000);

  it('does not begin again on a cluster what has begun here', async () => {
    const lab = labWith(seeds(1), LONG);
    const { cluster, port } = await clusterWith();
    const queue = Queue.start(lab, port, ['--on', 'local', '--device', 'cpu']);
    await until(() => existsSync(runPaths(runOf(lab, 1)).events));
    expect(await queue.kill('SIGINT')).toBe(130);
    const refused = Queue.start(lab, port);
    expect([await refused.ended, refused.err]).toEqual([
      2,
      expect.stringMatching(/began on this machine: #1 .+ has begun and not ended\./),
    ]);
    expect(cluster.jobs).toEqual([]);
  });

  it('leaves nothing of a submission that is refused, and submits it when it is accepted', async () => {
    const lab = labWith(seeds(1));
    const { cluster, port } = await clusterWith();
    cluster.refusal = 'Slurm has no partition "gpu".';
    const refused = Queue.start(lab, port);
    expect([await refused.ended, refused.err]).toEqual([3, expect.stringContaining('no partition "gpu"')]);
    expect(readdirSync(join(folderOf(lab), 'submissions'))).toEqual([]);
    cluster.refusal = undefined;
    expect(await Queue.start(lab, port).ended).toBe(0);
    expect(cluster.starts).toEqual([1]);
  });

  it('is followed from another login node once the heartbeat of the last one stands still', async () => {
    const lab = labWith(seeds(1), LONG);
    const { cluster, port } = await clusterWith();
    const first = Queue.start(lab, port);
    await until(() => stateOf(lab, 1) === 'running');
    await first.kill();
    const folder = folderOf(lab);
    const owner = JSON.parse(readFileSync(ownerFile(folder), 'utf8')) as object;
    const elsewhere = { host: 'login2', boot: 'another', nonce: 'ffffffffffffffff' };
    writeFileSync(ownerFile(folder), JSON.stringify({ ...owner, ...elsewhere }));
    // Alive: its heartbeat moves while the second looks.
    const beat = setInterval(() => {
      if (existsSync(runPaths(folder).status)) utimesSync(runPaths(folder).status, new Date(), new Date());
    }, 300);
    const refused = Queue.start(lab, port);
    expect([await refused.ended, refused.err]).toEqual([24, expect.stringContaining('login2')]);
    clearInterval(beat);
    const long = new Date(Date.now() - 120_000);
    for (const path of [runPaths(folder).status, ownerFile(folder)]) utimesSync(path, long, long);
    const second = Queue.start(lab, port);
    await until(() => readStatus(folder)?.pid === second.child.pid && stateOf(lab, 1) === 'running');
    expect(await second.kill('SIGINT')).toBe(130);
    expect(cluster.starts).toEqual([1]);
  });

  it('fails at once if the cluster has never answered', async () => {
    const lab = labWith(seeds(1));
    const { cluster, port } = await clusterWith();
    cluster.answers = false;
    const queue = Queue.start(lab, port);
    expect([await queue.ended, queue.err]).toEqual([28, expect.stringContaining('is not responding')]);
    const nothing = Queue.start(lab, port, ['--cancel', 'all']);
    expect([await nothing.ended, nothing.err]).toEqual([2, expect.stringContaining('has begun')]);
  });

  it('--dry-run shows what would be submitted, and leaves nothing', async () => {
    const lab = labWith(seeds(1, 2, 3));
    const { port } = await clusterWith();
    const dry = Queue.start(lab, port, ['--dry-run']);
    expect(await dry.ended).toBe(0);
    expect(dry.out).toContain('Up to 2 at a time on Slurm, with 1 thread each.');
    expect(dry.out).toContain('a batch script for 3 tasks');
    expect(existsSync(lab.path('.aurora'))).toBe(false);
  });
});
