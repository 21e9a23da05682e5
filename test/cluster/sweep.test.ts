import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLI, Lab } from '../cli/lab';
import { hasSlurm, Slurm, until } from './slurm';
import { SweepFiles, Together } from './trials';

/** One trial at a time on each node, and two at a time. */
const SETTINGS = { parallel: 2, memory: '3G', signalBefore: 30 };

/** The first two are long: one reaches its time limit, one is requeued. */
const SWEEP = {
  type: 'list',
  trials: [
    { 'training.seed': 1, 'training.epochs': 1200, 'training.checkpointEvery': 300 },
    { 'training.seed': 2, 'training.epochs': 300, 'training.checkpointEvery': 100 },
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
    for (const { child, ended } of Queue.all) {
      child.kill('SIGKILL');
      await ended;
    }
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null;
  }
}

/**
 * On a fast machine, trials end before what should happen to them: on request only, until it does not depend on speed.
 * What does not (a requeue, a lost login node, a killed sweep, scancel) is in ssh-sweep.test.ts.
 */
const isWanted = hasSlurm && process.env.AURORA_TEST_SLURM === 'faults';

describe.skipIf(!isWanted)('a sweep of 24 trials on Slurm, two at a time', () => {
  let slurm: Slurm;
  const labs: Lab[] = [];
  beforeAll(async () => (slurm = await Slurm.start()));
  afterAll(async () => {
    await Queue.killAll();
    await slurm?.stop();
    labs.forEach((lab) => lab.remove());
  });
  const newLab = (more: object = {}) => {
    const lab = new Lab({ training: TRAINING, sweep: SWEEP, ...more });
    labs.push(lab);
    return lab;
  };

  it('ends like a local one, whatever happens to its jobs, its nodes and the controller', async () => {
    const local = newLab();
    const locally = new Queue(local, slurm.env, '--parallel', '1', '--threads', '1', '--device', 'cpu');
    const lab = newLab({ cluster: { slurm: SETTINGS } });
    const files = new SweepFiles(lab);
    const together = new Together(lab.folder);
    const queue = new Queue(lab, slurm.env, '--on', 'slurm');
    const step = async (what: string, isSo: () => boolean) => {
      await until(what, () => queue.hasEnded || isSo(), 60_000).catch((e: Error) => {
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
    // From now on, its time limit ends in less than a minute.
    slurm.command('scontrol', 'update', `JobId=${job(1)}`, 'TimeLimit=1');
    slurm.command('scontrol', 'requeue', job(2));
    await step('the requeued one to wait again', () => state(2) === 'preempted');

    await step('a trial on node2', () => onNode('node2') !== undefined && onNode('node2')!.number !== 2);
    const lost = onNode('node2')!.number;
    await slurm.killNode('node2');
    await step('its trial to be requeued', () => state(lost) === 'preempted');
    slurm.startNode('node2');
    await step('the time limit', () => (files.onCluster(1)?.restarts ?? 0) > 0);

    // It saves its state at most 5 s later. What happens in them is lost, and may run unknown to it.
    await sleep(6000);
    await slurm.killController();
    await step('the queue to notice', () => files.cluster?.unreachable !== undefined);
    slurm.startController();
    await step('Slurm to answer', () => files.cluster?.unreachable === undefined);
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

    await step('a trial on node1', () => onNode('node1') !== undefined);
    const [running, waiting] = [onNode('node1')!.number, 24];
    slurm.command('scancel', job(running));
    slurm.command('scancel', job(waiting));
    await step('both to be canceled', () => state(running) === 'cancelled' && state(waiting) === 'cancelled');
    await sleep(2000);
    expect([state(running), state(waiting)]).toEqual(['cancelled', 'cancelled']);
    slurm.command('scancel', files.submission(1).jobs[0]!.id);
    expect(await queue.ended, queue.text).toBe(130);
    // Whoever cancels a job does not want it back; whoever runs the sweep again does.
    expect(files.submissions).toBe(1);
    expect(files.record.trials.filter((t) => state(t.number) === 'cancelled').length).toBeGreaterThan(2);

    const again = new Queue(lab, slurm.env);
    expect(await again.ended, again.text).toBe(0);
    together.stop();
    expect(await locally.ended, locally.text).toBe(0);
    expect(together.found).toEqual([]);
    expect(together.most).toBe(2);
    expect(files.results()).toEqual(new SweepFiles(local).results());
  });
});
