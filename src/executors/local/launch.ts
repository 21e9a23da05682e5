import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { childEnvironment } from '../../files/child-environment';
import { processRecord } from '../../files/processes';
import { writeInputs } from '../../runs/inputs';
import { createFolder, reserveRunId, runPaths } from '../../runs/layout';
import { writeSpec } from '../../runs/stored-spec';
import { sweepPaths, writeTrial, type TrialRecord } from '../../runs/sweep/record';
import type { SweepTrials, TrialTask } from '../executor';
import { GPU_VARIABLE } from './devices';
import { startTrainer } from './start-trainer';

export interface LaunchedTrial {
  run: string;
  /** Resolves when its trainer has ended, and a signal that ended it is recorded. */
  ended: Promise<unknown>;
}

/**
 * Starts a trainer for a trial, or continues its run. The trainer is an independent process that outlives this one. If
 * this process is killed at any time, the next one knows from disk which trainers were started: the run's name is
 * written before its folder is created, and the trainer waits for a line on its standard input, sent once its process
 * id is written; without that line it ends.
 *
 * @param program this program, dist/cli.cjs
 * @param how.takeOver true if the run's owner is a process of another machine that has ended
 * @param how.gpu the only GPU that it may see; undefined if it may see all
 */
export async function launchTrial(
  program: string,
  { folder, runs, room, fallBack, acceptInputs, inputs, save }: SweepTrials,
  { record: trial, spec, until }: TrialTask,
  { takeOver, gpu }: { takeOver: boolean; gpu?: string },
): Promise<LaunchedTrial> {
  const run = runFolder(runs, trial, save);
  const begun = existsSync(runPaths(run).events);
  if (!begun) {
    const files = await inputs(trial, spec);
    save();
    createFolder(run);
    // Its trainer compares the files that it reads with these.
    writeInputs(run, { version: 1, since: 0, files });
    writeTrial(run, {
      sweep: basename(folder),
      trial: trial.id,
      number: trial.number,
      settings: trial.settings,
    });
    writeSpec(run, spec);
  }
  const place = ['--engine', room.engine, '--device', room.device, ...(fallBack ? ['--fallback'] : [])];
  const resume = [
    ...['--resume', run, ...(acceptInputs ? ['--accept-changed-inputs'] : [])],
    ...(takeOver ? ['--take-over'] : []),
  ];
  const trainer = await startTrainer({
    node: process.execPath,
    args: [
      program,
      'train',
      ...(begun ? resume : [runPaths(run).spec, '--run', run, ...place]),
      ...['--threads', String(room.threads), '--frozen', sweepPaths(folder).frozen, '--when-told'],
      ...(until === undefined ? [] : ['--pause-at', until]),
    ],
    run,
    env: gpu === undefined ? undefined : childEnvironment(process.env, { [GPU_VARIABLE]: gpu }),
    waits: true,
  });
  trial.launched = {
    ...(await processRecord(trainer.pid)),
    at: Date.now(),
    gpu,
  };
  save();
  trainer.begin();
  return { run, ended: trainer.ended };
}

/** A deleted run's name is not reused: that run may be restored. */
function runFolder(runs: string, trial: TrialRecord, save: () => void): string {
  const known = trial.run === undefined ? undefined : join(runs, trial.run);
  if (known !== undefined && (existsSync(known) || trial.launched === undefined)) return known;
  trial.run = reserveRunId(runs);
  trial.launched = undefined;
  save();
  return join(runs, trial.run);
}
