import { readdirSync, readFileSync } from 'node:fs';
import { runOf, readSweep, type SweepRecord, type TrialRecord } from '../../src/runs/sweep/record';
import type { TaskFile } from '../../src/runs/sweep/task';
import { join } from 'node:path';
import type { ClusterFile } from '../../src/protocol/run-files/cluster';
import { readStatus } from '../../src/runs/status';
import type { Submission } from '../../src/executors/cluster/scheduler';
import type { LogLine } from '../../src/executors/cluster/submission-log';
import type { Lab } from '../cli/lab';
import { trialResult } from '../trial-results';

/** The only sweep of a lab's experiment, by its files. */
export class SweepFiles {
  constructor(private readonly lab: Lab) {}

  get folder(): string {
    const sweeps = this.lab.path('.aurora/sweeps/tiny');
    return join(sweeps, readdirSync(sweeps)[0]!);
  }

  get runs(): string {
    return this.lab.path('.aurora/runs/tiny');
  }

  get record(): SweepRecord {
    return readSweep(this.folder)!;
  }

  /** By its number, from 1. */
  trial(number: number): TrialRecord {
    return this.record.trials.find((t) => t.number === number)!;
  }

  /** The last step that a trial has reported; 0 before it has begun. */
  step(number: number): number {
    const run = runOf(this.trial(number), this.runs);
    return (run === undefined ? undefined : readStatus(run)?.step) ?? 0;
  }

  get cluster(): ClusterFile | undefined {
    try {
      return JSON.parse(readFileSync(join(this.folder, 'cluster.json'), 'utf8')) as ClusterFile;
    } catch {
      return undefined;
    }
  }

  /** What the scheduler last said about a trial. */
  onCluster(number: number) {
    return this.cluster?.trials[this.trial(number).id];
  }

  get submissions(): number {
    return readdirSync(join(this.folder, 'submissions')).length;
  }

  submission(number: number): Omit<Submission, 'folder'> {
    const read = (name: string) =>
      readFileSync(join(this.folder, 'submissions', String(number), name), 'utf8').trim();
    const lines = read('jobs.jsonl')
      .split('\n')
      .map((line) => JSON.parse(line) as LogLine);
    const jobs = lines.flatMap((line) => ('job' in line ? [line.job] : []));
    return { ...(JSON.parse(read('submission.json')) as Omit<Submission, 'folder' | 'jobs'>), jobs };
  }

  /** Of each trial, by its settings. */
  results(): Map<string, unknown> {
    const { trials } = this.record;
    return new Map(trials.map((t) => [JSON.stringify(t.settings), trialResult(runOf(t, this.runs)!)]));
  }
}

/** Looks for trainers of the same trial that run at the same time. */
export class Together {
  private readonly runs = new Map<string, string>();
  private readonly timer = setInterval(() => this.look(), 50);
  readonly found: string[] = [];
  /** The most trials at a time. */
  most = 0;

  constructor(private readonly folder: string) {}

  stop(): void {
    clearInterval(this.timer);
  }

  private look(): void {
    const now = new Map<string, number>();
    const tasks = new Map<string, string>();
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      const [, program = '', command, task = ''] = readProc(pid, 'cmdline').split('\0');
      // Neither srun, which has the same arguments behind its own, nor one that has ended and is not yet waited for.
      if (program.endsWith('cli.cjs') && command === 'trial' && task.includes(this.folder))
        tasks.set(pid, task);
    }
    for (const [pid, task] of tasks) {
      const parent = /^PPid:\t(\d+)$/m.exec(readProc(pid, 'status'))?.[1];
      // A trainer that starts a program is two processes until that program is loaded.
      if (parent === undefined || tasks.has(parent)) continue;
      const run = this.runOf(task);
      now.set(run, (now.get(run) ?? 0) + 1);
    }
    this.most = Math.max(this.most, now.size);
    for (const [run, count] of now) if (count > 1) this.found.push(run);
  }

  private runOf(task: string): string {
    let run = this.runs.get(task);
    if (run === undefined) {
      run = (JSON.parse(readFileSync(task, 'utf8')) as TaskFile).run;
      this.runs.set(task, run);
    }
    return run;
  }
}

function readProc(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
