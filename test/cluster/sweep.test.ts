import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RECORDS } from '../../src/executors/cluster/records-here';
import { readInputs } from '../../src/runs/inputs';
import { runPaths } from '../../src/runs/layout';
import { Lab } from '../cli/lab';
import { readRun } from '../read-run';
import { trialResult } from '../trial-results';
import { Queue } from './queue';
import { hasSlurm, Slurm } from './slurm';
import { until } from '../until';
import { hasSshd, startSshd, type Sshd } from './sshd';
import { Trainers, type Trainer } from './trainers';
import { SweepFiles } from './trials';

const TRIALS = 24;
/** These are long, and everything that happens to a trial in the middle happens to them. */
const LONG = [1, 2];
/** They wait while it does: on a fast machine, none would be left for what happens afterwards. */
const LATER = 9;

/** One trial at a time on each node, and two at a time. */
const SETTINGS = { parallel: 2, memory: '3G', signalBefore: 120 };
const SWEEP = {
  type: 'list',
  trials: Array.from({ length: TRIALS }, (_, i) => ({
    'training.seed': i + 1,
    ...(LONG.includes(i + 1) && { 'training.epochs': 600, 'training.checkpointEvery': 300 }),
  })),
};
const TRAINING = { epochs: 3, evaluateEvery: 1000, checkpointEvery: 20 };

const sweep = (lab: Lab, env: NodeJS.ProcessEnv, ...more: string[]): Queue =>
  new Queue(['sweep', lab.experiment, ...more], env);

interface Way {
  /** Slurm is behind a login node. */
  login?: true;
  /** Its folder is another one than this machine's. */
  apart?: true;
}

const WAYS: [string, Way][] = [
  ['on this machine', {}],
  ...(hasSshd
    ? ([
        ['behind a login node', { login: true }],
        ['behind a login node, without a shared folder', { login: true, apart: true }],
      ] satisfies [string, Way][])
    : []),
];

describe.skipIf(!hasSlurm)('a sweep of 24 trials on Slurm, two at a time', () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'a-')));
  const labs: Lab[] = [];
  let local: Lab;
  let slurm: Slurm;
  let sshd: Sshd | undefined;
  let trainers: Trainers;

  const newLab = (more: object = {}) => {
    const lab = new Lab({ training: TRAINING, sweep: SWEEP, ...more });
    labs.push(lab);
    return lab;
  };
  beforeAll(async () => {
    local = newLab();
    const locally = sweep(local, process.env, '--parallel', '2', '--threads', '1', '--device', 'cpu');
    expect(await locally.ended, locally.text).toBe(0);
  });
  beforeEach(async () => {
    slurm = await Slurm.start();
    const { PATH, SLURM_CONF } = slurm.env;
    if (hasSshd)
      sshd = await startSshd(mkdtempSync(join(folder, 's')), { PATH: PATH!, SLURM_CONF: SLURM_CONF! });
  });
  afterEach(async () => {
    trainers?.stop();
    await Queue.killAll();
    await sshd?.stop();
    await slurm?.stop();
  });
  afterAll(() => {
    labs.forEach((lab) => lab.remove());
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(WAYS)('%s, ends like a local one, whatever happens', async (_, { login, apart }) => {
    const there = apart ? mkdtempSync(join(folder, 'there-')) : undefined;
    const place = { ...(login && { host: 'cluster' }), folder: there };
    // A laptop finds no configuration of Slurm.
    const env = login ? { ...process.env, ...sshd!.env } : slurm.env;
    const lab = newLab({ cluster: { slurm: { ...SETTINGS, ...place } } });
    const files = new SweepFiles(lab);
    trainers = new Trainers(lab.folder);
    const longOnes = ({ number, hasTrained }: Trainer) => LONG.includes(number) && hasTrained;
    trainers.hold(longOnes);

    let queue = sweep(lab, env, '--on', 'slurm');
    const wait = (what: string, isSo: () => boolean, of = queue) =>
      until(isSo, 100).catch((e: Error) => {
        throw new Error(
          `waited for ${what}: ${e.message}\n${of.text}\n${slurm.command('squeue', '-r', '--states=all')}\n${slurm.command('sinfo', '-N', '-l')}\n${slurm.logs()}\n${JSON.stringify(files.cluster)}`,
        );
      });
    const step = async (what: string, isSo: () => boolean) => {
      await wait(what, () => queue.hasEnded || isSo());
      if (queue.hasEnded) throw new Error(`the queue ended before ${what}:\n${queue.text}`);
    };
    const exitCode = async (of: Queue) => {
      await wait('the command to end', () => of.hasEnded, of);
      return of.ended;
    };
    const state = (number: number) => files.onCluster(number)?.state;
    const restarts = (number: number) => files.onCluster(number)?.restarts ?? 0;
    const job = (number: number) => files.onCluster(number)!.job;
    const onNode = (node: string) =>
      files.record.trials.find(
        (t) => state(t.number) === 'running' && files.onCluster(t.number)?.node === node,
      )?.number;
    const bothAreThere = () =>
      LONG.every((number) => trainers.heldOf(number).length > 0 && state(number) === 'running');

    await step('the first two to train', () => files.cluster !== undefined && bothAreThere());
    // Their curves are here while they train.
    await step('their curves', () => LONG.every((number) => files.hasCurve(number)));
    const array = files.submission(1).jobs[0]!.id;
    slurm.command('scontrol', 'hold', `${array}_[${LATER - 1}-${TRIALS - 1}]`);
    slurm.command('scontrol', 'requeue', job(2));
    await step('the requeued one to wait again', () => state(2) === 'preempted');

    // A computer that is switched off: another process continues.
    await queue.kill();
    queue = sweep(lab, env);
    await step('the requeued one to train', bothAreThere);

    // The time limit of one, and the node of the other.
    slurm.setTimeLeft(job(1), 2);
    const node = trainers.heldOf(2)[0]!.node;
    await slurm.killNode(node);
    await step('the time limit', () => restarts(1) > 0);
    slurm.command('scontrol', 'update', `JobId=${job(1)}`, 'TimeLimit=600');
    await step('the trial of the failed node to be requeued', () => restarts(2) > 1);
    slurm.startNode(node);
    await step('both to train', bothAreThere);

    if (login) {
      await sshd!.stop();
      await step('the login node to be missed', () => files.cluster?.unreachable !== undefined);
      await sshd!.start();
      await step('the login node to answer', () => files.cluster?.unreachable === undefined);
    }

    // Slurm loses sight of a trainer, which is suspended meanwhile, and starts it again where the other one has been.
    expect([...trainers.twice]).toEqual([]);
    const unseen = trainers.heldOf(1)[0]!;
    const before = restarts(1);
    await slurm.killSlurmd(unseen.node);
    await step('Slurm to give up its node', () => restarts(1) > before);
    trainers.hold((t) => t.pid === unseen.pid || (t.number === 1 && t.hasTrained));
    await step('it to be trained by another', () => trainers.heldOf(1).length > 1);
    const found = contents(unseen.run);
    trainers.hold((t) => t.number === 1 && t.pid !== unseen.pid);
    await step('the first one to find out', () => !trainers.runs(unseen));
    expect(contents(unseen.run)).toEqual(found);
    expect([...trainers.twice]).toEqual([1]);
    trainers.twice.clear();
    slurm.startNode(unseen.node);

    // All wait or begin while the controller is away.
    trainers.hold(() => true);
    slurm.command('scontrol', 'release', `${array}_[${LATER - 1}-${TRIALS - 2}]`);
    await step('both nodes to work', () => onNode('node1') !== undefined && onNode('node2') !== undefined);
    await slurm.saved(job(1));
    await slurm.killController();
    await step('the controller to be missed', () => files.cluster?.unreachable !== undefined);
    slurm.startController();
    await step('the controller to answer', () => files.cluster?.unreachable === undefined);

    await step('both nodes to work', () => onNode('node1') !== undefined && onNode('node2') !== undefined);
    // A controller that was killed learns from the nodes what runs there.
    const states = () => slurm.command('sinfo', '-h', '-N', '-o', '%T').trim().split('\n');
    await step('the controller to know', () => states().every((node) => node === 'mixed'));
    slurm.command('scontrol', 'update', 'NodeName=node1', 'State=DRAIN', 'Reason=test');
    trainers.hold((t) => t.node !== 'node1');
    const isEmpty = () => slurm.command('squeue', '-h', '-w', 'node1', '-t', 'R,CG') === '';
    await step('the drained node to be empty', () => onNode('node1') === undefined && isEmpty());
    trainers.hold(() => true);
    slurm.command('scontrol', 'update', 'NodeName=node1', 'State=RESUME');

    await step('a trial on node1', () => onNode('node1') !== undefined);
    const running = onNode('node1')!;
    slurm.command('scancel', job(running));
    slurm.command('scancel', job(TRIALS));
    await step('both to be canceled', () => state(running) === 'cancelled' && state(TRIALS) === 'cancelled');
    await sleep(2000);
    expect([state(running), state(TRIALS)]).toEqual(['cancelled', 'cancelled']);
    // Whoever cancels a job does not want it back; whoever runs the sweep again does.
    const left = files.record.trials
      .map((t) => t.number)
      .filter((number) => ['queued', 'preempted', 'running'].includes(state(number)!));
    expect(left.length).toBeGreaterThan(2);
    slurm.command('scancel', '--me');
    trainers.hold(() => false);
    expect(await exitCode(queue), queue.text).toBe(130);
    expect(left.filter((number) => state(number) !== 'cancelled')).toEqual([]);

    trainers.hold(() => true);
    queue = sweep(lab, env);
    await step('some to begin', () => onNode('node1') !== undefined && onNode('node2') !== undefined);
    const canceling = sweep(lab, env, '--cancel', 'all');
    trainers.hold(() => false);
    expect(await exitCode(canceling), canceling.text).toBe(0);
    expect(await exitCode(queue), queue.text).toBe(130);

    const last = sweep(lab, env);
    expect(await exitCode(last), last.text).toBe(0);
    expect([...trainers.twice]).toEqual([]);
    expect(trainers.most).toBe(2);
    expect(files.results()).toEqual(new SweepFiles(local).results());
    const log = files.onCluster(3)!.log!;
    expect(log.startsWith(lab.folder) && existsSync(log), log).toBe(true);
    expect(readFileSync(log, 'utf8')).toContain('Finished.');
    // The returned records name the files of this machine, not those of the cluster.
    const run = join(files.runs, files.trial(3).run!);
    const spec = JSON.parse(readFileSync(runPaths(run).spec, 'utf8')) as { folder: string };
    expect([spec.folder, readRun(run).spec.model.path]).toEqual([run, lab.path('model.onnx')]);
    const read = readInputs(run)!.files.map((file) => file.path);
    expect(read).toContain(lab.path('model.onnx'));
    expect(read.filter((path) => !path.startsWith(lab.folder))).toEqual([]);
    const records = RECORDS.map((name) => readFileSync(join(run, name), 'utf8'));
    expect(records.filter((text) => there !== undefined && text.includes(there))).toEqual([]);
    const merged = lab.run('export', run, '--as', 'onnx-merged', '--out', lab.path('merged'));
    expect(merged.code, merged.err).toBe(0);
    if (there !== undefined) await checkpointsComeWhenWanted(lab, env, files, there);
  });
});

/** @param there the cluster's folder */
async function checkpointsComeWhenWanted(
  lab: Lab,
  env: NodeJS.ProcessEnv,
  files: SweepFiles,
  there: string,
): Promise<void> {
  const run = (number: number) => join(files.runs, files.trial(number).run!);
  const steps = (of: string) => (existsSync(of) ? readdirSync(join(of, 'checkpoints')).sort() : []);
  const runs = readdirSync(files.runs).map((name) => join(files.runs, name));
  expect(runs.filter((of) => existsSync(join(of, 'checkpoints')))).toEqual([]);
  const fork = ['train', '--fork', run(3), '--at', '20'];
  const early = lab.run(...fork);
  expect([early.code, early.err]).toEqual([20, expect.stringContaining('--checkpoints 3` brings them.')]);
  const bringing = sweep(lab, env, '--checkpoints', '3');
  expect(await bringing.ended, bringing.text).toBe(0);
  expect(bringing.text).toContain('The checkpoints of 1 trial are in the run folders.');
  expect(steps(run(3))).toEqual(steps(there + run(3)));
  expect(existsSync(join(run(4), 'checkpoints'))).toBe(false);
  const forked = lab.run(...fork);
  expect(forked.code, forked.err).toBe(0);
  const all = sweep(lab, env, '--checkpoints', 'all');
  expect(await all.ended, all.text).toBe(0);
  for (const of of runs) expect(steps(of)).toEqual(steps(there + of));
  // A copy of a run that came back, as if it had been killed after its first checkpoint.
  const copy = join(files.runs, 'killed');
  cpSync(run(3), copy, { recursive: true });
  rmSync(runPaths(copy).result);
  for (const step of steps(copy).slice(1)) rmSync(join(copy, 'checkpoints', step), { recursive: true });
  const resumed = lab.run('train', '--resume', copy, '--threads', '1', '--device', 'cpu');
  expect(resumed.code, resumed.err).toBe(0);
  expect(trialResult(copy)).toEqual(trialResult(run(3)));
}

/** Every file below a folder, with what changes when it is written. Whoever has begun a temporary one removes it. */
const contents = (folder: string): string[] =>
  (readdirSync(folder, { recursive: true }) as string[])
    .filter((name) => !name.endsWith('.aurora-tmp'))
    .map((name) => {
      const { size, mtimeMs, ino } = statSync(join(folder, name));
      return `${name} ${size} ${mtimeMs} ${ino}`;
    })
    .sort();
