import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Submissions } from '../../src/executors/cluster/submissions';
import type { ClusterFile } from '../../src/protocol/run-files/cluster';
import { loadSweep } from '../../src/runs/experiment/load';
import type { Sweep, Trial } from '../../src/runs/experiment/sweep-trials';
import { experimentRuns, experimentSweeps } from '../../src/runs/layout';
import { sweepPaths, SWEEP_VERSION, type SweepRecord, type TrialRecord } from '../../src/runs/sweep/record';
import { TASK_VERSION, type TaskFile } from '../../src/runs/sweep/task-file';
import { FIRST_RUNG, inputsOf, STEPS, writeExperiment, type SweepKind } from './experiment';
import { writeTrained } from './trained';

/** The experiment's file and the sweep's folder. */
export interface Study {
  file: string;
  sweep: string;
}

export interface Simulated {
  trials: number;
  kind: SweepKind;
  state: 'finished' | 'rung';
  tell?: (written: number) => void;
}

/** Slurm's default: arrays have at most this many tasks. */
const ARRAY = 1000;
/** The first submission is from then, in ms since 1970. */
const BEGUN = Date.UTC(2026, 0, 5, 8);

/**
 * A sweep of so many trials as Slurm leaves it, `finished` after 1,000 steps or at the first `rung`, after 100, where they
 * are compared: run folders, sweep.json, submissions with their task files and logs, cluster.json.
 *
 * @param tell called now and then with the number of trials so far
 */
export function simulate(folder: string, { trials, kind, state, tell }: Simulated): Study {
  const file = writeExperiment(folder, trials, kind);
  const sweep = loadSweep(file);
  const sweepFolder = join(experimentSweeps(file), sweep.baseHash);
  const inputs = inputsOf(folder);
  const records = sweep.trials.map(recordOf);
  const runs = experimentRuns(file);
  mkdirSync(sweepFolder, { recursive: true });
  writeFileSync(join(folder, '.aurora', '.gitignore'), '*\n');
  const of = (trial: Trial, i: number): Omit<TaskFile, 'version' | 'threads' | 'engine' | 'device'> => ({
    ...{ run: join(runs, records[i].run!), sweep: sweep.baseHash, trial: trial.id, number: i + 1 },
    ...{ settings: trial.settings, spec: trial.spec, inputs },
  });
  for (const [i, trial] of sweep.trials.entries()) {
    const { run, spec, ...named } = of(trial, i);
    const belongs = {
      sweep: named.sweep,
      trial: named.trial,
      number: named.number,
      settings: named.settings,
    };
    writeTrained({
      run,
      spec,
      inputs,
      trial: belongs,
      began: beganAt(i),
      steps: state === 'finished' ? STEPS : FIRST_RUNG,
      state,
    });
    if ((i + 1) % 1000 === 0) tell?.(i + 1);
  }
  writeSubmission(sweepFolder, sweep.trials.map(of));
  writeFileSync(
    sweepPaths(sweepFolder).sweep,
    `${JSON.stringify(sweepRecord(sweep, records, inputs), null, 2)}\n`,
  );
  writeFileSync(join(sweepFolder, 'cluster.json'), JSON.stringify(clusterFile(sweepFolder, records)));
  const heartbeat = beganAt(trials) + 500 * STEPS;
  const status = {
    pid: 4711,
    nonce: 'q',
    host: 'login1',
    boot: 'elsewhere',
    state: 'finished',
    startedAt: BEGUN,
    heartbeat,
  };
  writeFileSync(sweepPaths(sweepFolder).status, JSON.stringify({ ...status, step: trials, steps: trials }));
  return { file, sweep: sweepFolder };
}

const beganAt = (i: number): number => BEGUN + 1000 * i;

const recordOf = ({ id, settings }: Trial, i: number): TrialRecord => {
  const time = new Date(beganAt(i)).toISOString().slice(0, 19).replace(/[-:]/g, '');
  return { id, number: i + 1, settings, run: `${time}Z-${i.toString(16).padStart(8, '0')}`, planned: true };
};

const sweepRecord = (
  { base, spec, baseHash, trials }: Sweep,
  records: TrialRecord[],
  inputs: SweepRecord['inputs'],
): SweepRecord => ({
  version: SWEEP_VERSION,
  begun: BEGUN,
  name: base.name,
  overrides: [],
  spec,
  metric: base.training.metric,
  baseHash,
  varied: [...new Set(trials.flatMap((t) => Object.keys(t.settings)))],
  on: 'slurm',
  room: { parallel: 500, threads: 1, memory: 2 ** 30, engine: 'onnxruntime', device: 'cpu' },
  inputs,
  trials: records,
});

/** The name of a task in Slurm: the arrays' numbers start at 1000. */
const jobOf = (i: number): string => `${1000 + Math.floor(i / ARRAY)}_${i % ARRAY}`;

function writeSubmission(
  sweep: string,
  tasks: Omit<TaskFile, 'version' | 'threads' | 'engine' | 'device'>[],
): void {
  const files = tasks.map((task): TaskFile => ({
    ...{ version: TASK_VERSION, ...task },
    ...{ threads: 1, engine: 'onnxruntime', device: 'cpu' },
  }));
  const named = tasks.map(({ trial, number, run }) => ({ trial, number, run: basename(run), step: 0 }));
  const submissions = new Submissions(sweep);
  let submission = submissions.submitting(submissions.create(named, files), {
    name: 'the Slurm cluster simulated',
  });
  for (let first = 0; first < tasks.length; first += ARRAY) {
    const id = String(1000 + first / ARRAY);
    const count = Math.min(ARRAY, tasks.length - first);
    submission = submissions.submitted(submission, { id, first, count });
  }
  for (const [i, { run }] of tasks.entries())
    writeFileSync(join(submission.folder, 'logs', `${jobOf(i)}.log`), `Training ${run}.\n`);
}

const clusterFile = (sweep: string, records: readonly TrialRecord[]): ClusterFile => ({
  version: 1,
  executor: 'slurm',
  place: '',
  at: beganAt(records.length),
  trials: Object.fromEntries(
    records.map(({ id }, i) => {
      const log = join(sweep, 'submissions', '1', 'logs', `${jobOf(i)}.log`);
      return [id, { state: 'finished', job: jobOf(i), node: `node${i % 64}`, log }];
    }),
  ),
});
