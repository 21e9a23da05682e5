import { readdirSync, readFileSync, statSync } from 'node:fs';
import { runOf, readSweep, type SweepRecord, type TrialRecord } from '../../src/runs/sweep/record';
import { join } from 'node:path';
import type { ClusterFile } from '../../src/protocol/run-files/cluster';
import { runPaths } from '../../src/runs/layout';
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

  /** True if a part of the trial's curve is here. */
  hasCurve(number: number): boolean {
    const run = runOf(this.trial(number), this.runs);
    return run !== undefined && (statSync(runPaths(run).scalars, { throwIfNoEntry: false })?.size ?? 0) > 0;
  }

  get cluster(): ClusterFile | undefined {
    try {
      return JSON.parse(readFileSync(join(this.folder, 'cluster.json'), 'utf8')) as ClusterFile;
    } catch {
      return undefined;
    }
  }

  /** The last state of a trial according to the scheduler. */
  onCluster(number: number) {
    return this.cluster?.trials[this.trial(number).id];
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

  /** The results of each trial, by its settings. */
  results(): Map<string, unknown> {
    const { trials } = this.record;
    return new Map(trials.map((t) => [JSON.stringify(t.settings), trialResult(runOf(t, this.runs)!)]));
  }
}
