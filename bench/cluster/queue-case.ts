import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { sweepReport } from '../../src/cli/commands/sweep/sweep-report';
import { SweepLines } from '../../src/cli/commands/sweep/sweep-progress';
import { planText } from '../../src/cli/commands/sweep/sweep-plan';
import { createSubmission } from '../../src/executors/cluster/submitter';
import type { SweepTrials } from '../../src/executors/executor';
import { SharedFiles } from '../../src/executors/cluster/shared-files';
import { Submissions } from '../../src/executors/cluster/submissions';
import { parseQueue } from '../../src/executors/slurm/slurm-queue';
import { TaskStates } from '../../src/executors/slurm/job-states';
import { loadSweep } from '../../src/runs/experiment/load';
import { experimentRuns } from '../../src/runs/layout';
import { TrialLooker } from '../../src/runs/sweep/look';
import { readSweep, writeSweep, type SweepRecord } from '../../src/runs/sweep/record';
import { TrialNames } from '../../src/runs/sweep/trial-names';
import { decide } from '../../src/sweeps/halving';
import { timed } from './timed';

/** Parts of what `aurora sweep` does, and of them what it does for a cluster: a submission of all trials, and the answer of squeue. */
export async function queueCase({
  folder,
  file,
  sweep,
}: {
  folder: string;
  file: string;
  sweep: string;
}): Promise<Record<string, number>> {
  const read = await timed(() => readSweep(sweep)!);
  const record = read.value;
  const runs = experimentRuns(file);
  const looker = new TrialLooker();
  const look = () =>
    record.trials.map((t) => looker.look(t, t.run === undefined ? undefined : join(runs, t.run)));
  const first = await timed(look);
  const next = await timed(look);
  const trials = next.value;
  const verdicts = await timed(() => decide(trials, { eta: 3, minSteps: 100 }, record.metric));
  const names = new TrialNames(runs);
  const screen = new SweepLines(names);
  screen.begin(record);
  const progress = await timed(() => screen.looked(trials, verdicts.value));
  const plan = await timed(() => planText({ ...record, room: record.room! }, trials));
  const report = await timed(() =>
    sweepReport(record, { trials, verdicts: verdicts.value, elsewhere: new Map() }, names),
  );
  const write = await timed(() => writeSweep(sweep, record));
  const submit = await submitted({ folder, file, record });
  const answer = readFileSync(join(folder, 'squeue.txt'), 'utf8');
  const submissions = new Submissions(sweep).read().own;
  const states = new TaskStates();
  const squeue = await timed(() =>
    states.read(submissions, parseQueue(answer), { now: performance.now(), minJobAge: 300_000 }),
  );
  return {
    ...{ submit, squeue: squeue.ms },
    ...{ read: read.ms, write: write.ms, first: first.ms, next: next.ms, decide: verdicts.ms },
    ...{ progress: progress.ms, plan: plan.ms, report: report.ms },
  };
}

/** The time to write Slurm's files for trials that have not begun. */
async function submitted({
  folder,
  file,
  record,
}: {
  folder: string;
  file: string;
  record: SweepRecord;
}): Promise<number> {
  const { trials } = loadSweep(file);
  const tasks = record.trials.map((trial, i) => ({
    record: { ...trial, run: undefined },
    spec: trials[i].spec,
  }));
  const sweep = join(folder, 'submitted', 'sweep');
  mkdirSync(sweep, { recursive: true });
  const files = new SharedFiles({ dist: '', home: folder });
  const own: SweepTrials = {
    ...{ folder: sweep, runs: experimentRuns(file), specs: new Map(), looker: new TrialLooker() },
    room: { parallel: 1, threads: 1, engine: 'onnxruntime', device: 'cpu' },
    ...{ fallBack: false, acceptInputs: false },
    inputs: () => Promise.resolve(record.inputs!),
    save: () => writeSweep(sweep, { ...record, trials: tasks.map((task) => task.record) }),
  };
  const { ms } = await timed(() =>
    createSubmission(new Submissions(sweep), own, files, tasks, new Map(), undefined),
  );
  rmSync(join(folder, 'submitted'), { recursive: true, force: true });
  return ms;
}
