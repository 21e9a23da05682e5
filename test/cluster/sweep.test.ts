import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLI, Lab } from '../cli/lab';
import { hasSlurm, Slurm, until } from './slurm';
import { hasSshd, startSshd, type Sshd } from './sshd';
import { Frozen, SweepFiles, Together } from './trials';

/** One trial at a time on each node, and two at a time. */
const SETTINGS = { parallel: 2, memory: '3G', signalBefore: 30 };

const USR2 = 12;

/** The first two are long: one reaches its time limit, one is requeued. */
const SWEEP = {
  type: 'list',
  trials: [
    { 'training.seed': 1, 'training.epochs': 1200, 'training.checkpointEvery': 300 },
    { 'training.seed': 2, 'training.epochs': 1200, 'training.checkpointEvery': 300 },
    ...Array.from({ length: 22 }, (_, i) => ({ 'training.seed': i + 3 })),
  ],
};
const TRAINING = { epochs: 10, evaluateEvery: 1000, checkpointEvery: 20 };

/** `aurora sweep` in the background. */
class Queue {
  private static readonly all: Queue[] = [];
  private readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  text = '';

  constructor(lab: Lab, env: NodeJS.ProcessEnv, ...more: string[]) {
    this.child = spawn(process.execPath, [CLI, 'sweep', lab.experiment, ...more], {
      env: { ...env, AURORA_CLUSTER_LOOK_MS: '300' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout!, this.child.stderr!])
      stream.setEncoding('utf8').on('data', (text: string) => (this.text += text));
    this.ended = new Promise((resolve) => this.child.once('close', resolve));
    Queue.all.push(this);
  }

  /** Ends those that a failed test has left. */
  static async killAll(): Promise<void> {
    for (const queue of Queue.all) await queue.kill();
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null;
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }
}

interface Way {
  /** Slurm is behind a login node. */
  login?: boolean;
  /** Its folder is another one than this machine's. */
  apart?: boolean;
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
  const folder = mkdtempSync(join(tmpdir(), 'a-'));
  const labs: Lab[] = [];
  let slurm: Slurm;
  let sshd: Sshd | undefined;
  let local: Lab;
  let locally: Queue;
  beforeAll(async () => {
    slurm = await Slurm.start();
    const { PATH, SLURM_CONF } = slurm.env;
    if (hasSshd) sshd = await startSshd(join(folder, 'sshd'), { PATH: PATH!, SLURM_CONF: SLURM_CONF! });
    local = newLab();
    locally = new Queue(local, process.env, '--parallel', '1', '--threads', '1', '--device', 'cpu');
  });
  afterAll(async () => {
    await Queue.killAll();
    await sshd?.stop();
    await slurm?.stop();
    labs.forEach((lab) => lab.remove());
    rmSync(folder, { recursive: true, force: true });
  });
  const newLab = (more: object = {}) => {
    const lab = new Lab({ training: TRAINING, sweep: SWEEP, ...more });
    labs.push(lab);
    return lab;
  };

  it.each(WAYS)('%s ends like a local one, whatever happens', async (_, { login, apart }) => {
    const there = apart ? mkdtempSync(join(folder, 'there-')) : undefined;
    const place = { ...(login && { host: 'cluster' }), ...(there !== undefined && { folder: there }) };
    // A laptop finds no configuration of Slurm.
    const env = login ? { ...process.env, ...sshd!.env } : slurm.env;
    const lab = newLab({ cluster: { slurm: { ...SETTINGS, ...place } } });
    const files = new SweepFiles(lab);
    const together = new Together(lab.folder);
    let queue = new Queue(lab, env, '--on', 'slurm');
    const step = async (what: string, isSo: () => boolean) => {
      await until(what, () => queue.hasEnded || isSo(), 120_000).catch((e: Error) => {
        throw new Error(
          `${e.message}:\n${queue.text}\n${slurm.command('squeue', '--states=all')}\n${slurm.logs()}\n${JSON.stringify(files.cluster)}`,
        );
      });
      if (queue.hasEnded) throw new Error(`the queue ended before ${what}:\n${queue.text}`);
    };
    const state = (number: number) => files.onCluster(number)?.state;
    const onNode = (node: string) =>
      files.record.trials.find(
        (t) => state(t.number) === 'running' && files.onCluster(t.number)?.node === node,
      );
    const job = (number: number) => files.onCluster(number)!.job;

    await step(
      'the first two to train',
      () => files.cluster !== undefined && files.step(1) > 0 && files.step(2) > 0,
    );
    slurm.command('scontrol', 'requeue', job(2));
    await step('the requeued one to wait again', () => state(2) === 'preempted');

    // A computer that is switched off: another process continues.
    await queue.kill();
    queue = new Queue(lab, env);

    const beforeLimit = new Frozen(lab.folder);
    slurm.command('scontrol', 'update', `JobId=${job(1)}`, 'TimeLimit=1');
    await step('the time limit', () => beforeLimit.isSignalled(USR2));
    beforeLimit.thaw();
    await step('it to wait again', () => (files.onCluster(1)?.restarts ?? 0) > 0);

    const meanwhile = new Frozen(lab.folder);
    await step('a trial on node2', () => onNode('node2') !== undefined);
    const lost = onNode('node2')!.number;
    await slurm.killNode('node2');
    await step('its trial to be requeued', () => state(lost) === 'preempted');
    slurm.startNode('node2');

    if (login) {
      await sshd!.stop();
      await step('the login node to be missed', () => files.cluster?.unreachable !== undefined);
      await sshd!.start();
      await step('the login node to answer', () => files.cluster?.unreachable === undefined);
    }
    // It saves its state at most 5 s later. What happens in them is lost, and may run unknown to it.
    await sleep(6000);
    await slurm.killController();
    await step('the queue to notice', () => files.cluster?.unreachable !== undefined);
    slurm.startController();
    await step('Slurm to answer', () => files.cluster?.unreachable === undefined);
    meanwhile.thaw();
    // A job that it has started and forgotten, it starts again, fails, holds it and drains the node: an administrator helps.
    const help = setInterval(() => {
      const held = slurm.command('squeue', '-h', '-r', '-t', 'PENDING', '-o', '%i %r').split('\n');
      for (const line of held)
        if (/JobHeld|held/.test(line)) slurm.command('scontrol', 'release', line.split(' ')[0]!);
      const nodes = slurm.command('sinfo', '-h', '-N', '-o', '%N %T').split('\n');
      for (const line of nodes)
        if (/ (down|drained)/.test(line))
          slurm.command('scontrol', 'update', `NodeName=${line.split(' ')[0]}`, 'State=RESUME');
    }, 1000);

    await step('both nodes to work', () => onNode('node1') !== undefined && onNode('node2') !== undefined);
    clearInterval(help);
    slurm.command('scontrol', 'update', 'NodeName=node1', 'State=DRAIN', 'Reason=test');
    await step('the drained node to be empty', () => onNode('node1') === undefined);
    slurm.command('scontrol', 'update', 'NodeName=node1', 'State=RESUME');

    const beforeCancel = new Frozen(lab.folder);
    await step('a trial on node1', () => onNode('node1') !== undefined);
    const [running, waiting] = [onNode('node1')!.number, 24];
    slurm.command('scancel', job(running));
    slurm.command('scancel', job(waiting));
    beforeCancel.thaw();
    await step('both to be canceled', () => state(running) === 'cancelled' && state(waiting) === 'cancelled');
    const afterwards = new Frozen(lab.folder);
    await sleep(2000);
    expect([state(running), state(waiting)]).toEqual(['cancelled', 'cancelled']);
    slurm.command('scancel', files.submission(1).jobs[0]!.id);
    afterwards.thaw();
    expect(await queue.ended, queue.text).toBe(130);
    // Whoever cancels a job does not want it back; whoever runs the sweep again does.
    expect(files.submissions).toBe(1);
    expect(files.record.trials.filter((t) => state(t.number) === 'cancelled').length).toBeGreaterThan(2);

    const again = new Queue(lab, env);
    expect(await again.ended, again.text).toBe(0);
    together.stop();
    expect(await locally.ended, locally.text).toBe(0);
    expect(together.found).toEqual([]);
    expect(together.most).toBe(2);
    expect(files.results()).toEqual(new SweepFiles(local).results());
    const log = files.onCluster(3)!.log!;
    expect(log.startsWith(lab.folder) && existsSync(log), log).toBe(true);
    // Nothing in what came back is a path of the cluster.
    const spec = readFileSync(join(files.runs, files.trial(3).run!, 'spec.json'), 'utf8');
    expect(spec).toContain(lab.path('model.onnx'));
    expect(there !== undefined && spec.includes(there)).toBe(false);
  });
});
