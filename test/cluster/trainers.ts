import { readdirSync, readFileSync, statSync } from 'node:fs';
import { runPaths } from '../../src/runs/layout';
import type { TaskFile } from '../../src/runs/sweep/task-file';

export interface Trainer {
  pid: number;
  /** Slurm's name of the node. */
  node: string;
  /** The run's folder. */
  run: string;
  /** The trial's number, from 1. */
  number: number;
  /** True if its curve has grown since this process was first seen. */
  hasTrained: boolean;
}

/**
 * The trainers below a folder that run on this machine. Suspends those that a test wants to keep as they are, so that what
 * happens to them does not depend on the machine's speed, and looks for two that have the same run.
 */
export class Trainers {
  /** The most runs at a time. */
  most = 0;
  /** The numbers of trials that were seen in two processes at a time. */
  readonly twice = new Set<number>();
  private all: Trainer[] = [];
  /** Bytes of the curve when a process was first seen. */
  private readonly begun = new Map<number, number>();
  private readonly trained = new Set<number>();
  private readonly held = new Set<number>();
  private isHeld: (trainer: Trainer) => boolean = () => false;
  private readonly timer = setInterval(() => this.look(), 50);

  constructor(private readonly folder: string) {}

  /**
   * From now on, suspends those for which this is so, also ones that begin later, and continues all others. One that Slurm
   * asks to save is also continued: with each signal, it sends SIGCONT.
   */
  hold(which: (trainer: Trainer) => boolean): void {
    this.isHeld = which;
    this.look();
  }

  /** The suspended trainers of a trial. */
  heldOf(number: number): Trainer[] {
    return this.all.filter((t) => t.number === number && this.held.has(t.pid) && isStopped(t.pid));
  }

  runs({ pid }: Trainer): boolean {
    return this.all.some((t) => t.pid === pid);
  }

  /** Continues all. */
  stop(): void {
    this.hold(() => false);
    clearInterval(this.timer);
  }

  private look(): void {
    this.all = this.find();
    const runs = new Set(this.all.map(({ run }) => run));
    this.most = Math.max(this.most, runs.size);
    for (const { run, number } of this.all)
      if (this.all.filter((t) => t.run === run).length > 1) this.twice.add(number);
    for (const trainer of this.all) {
      const { pid } = trainer;
      if (this.isHeld(trainer) === this.held.has(pid)) continue;
      if (this.held.delete(pid)) send(pid, 'SIGCONT');
      else {
        this.held.add(pid);
        send(pid, 'SIGSTOP');
      }
    }
  }

  private find(): Trainer[] {
    const tasks = new Map<number, string>();
    for (const pid of readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)) {
      const [, program = '', command, task = ''] = readProc(pid, 'cmdline').split('\0');
      // Neither srun, which has the same arguments behind its own, nor one that has ended and is not yet waited for.
      if (program.endsWith('cli.cjs') && command === 'trial' && task.includes(this.folder))
        tasks.set(pid, task);
    }
    return [...tasks].flatMap(([pid, task]) => {
      const parent = /^PPid:\t(\d+)$/m.exec(readProc(pid, 'status'))?.[1];
      // A trainer that starts a program is two processes until that program is loaded.
      if (parent === undefined || tasks.has(Number(parent))) return [];
      const { run, number } = JSON.parse(readFileSync(task, 'utf8')) as TaskFile;
      const node = /(?:^|\0)SLURMD_NODENAME=([^\0]*)/.exec(readProc(pid, 'environ'))?.[1] ?? '';
      const curve = statSync(runPaths(run).scalars, { throwIfNoEntry: false })?.size ?? 0;
      if (!this.begun.has(pid)) this.begun.set(pid, curve);
      if (curve > this.begun.get(pid)!) this.trained.add(pid);
      return [{ pid, node, run, number, hasTrained: this.trained.has(pid) }];
    });
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}

/** After the signal, a thread that writes to a disk still finishes that write. */
function isStopped(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/task`).every((thread) => {
      const stat = readProc(pid, `task/${thread}/stat`);
      return stat === '' || stat.slice(stat.lastIndexOf(')') + 2).startsWith('T');
    });
  } catch {
    return false;
  }
}

/** Empty if the process has ended. */
function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
