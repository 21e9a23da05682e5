import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { startTrainer } from '../../executors/local/start';
import { writeAtomic } from '../../files/atomic';
import { processRecord } from '../../files/processes';
import { writeInputs, type InputFile } from '../../runs/inputs';
import { createFolder, newRunId, runPaths } from '../../runs/layout';
import { writeTrial, type SweepRoom, type TrialRecord } from '../../runs/sweep/record';
import type { Experiment } from '../../experiment/experiment';

export interface Launcher {
  /** This program, dist/cli.cjs. */
  program: string;
  /** The name of the sweep's folder. */
  sweep: string;
  /** Where trials keep for each other what they all compute. */
  frozen: string;
  /** Where runs of the experiment lie. */
  runs: string;
  room: SweepRoom;
  fallBack: boolean;
  /** Files that changed since a trial was trained on them are meant. */
  acceptInputs: boolean;
  /** What a new trial is to be trained on; AuroraError 'inputs' where that is not what the earlier ones were. */
  inputs(trial: TrialRecord, spec: Experiment): Promise<InputFile[]>;
  /** Puts the record with all its trials on the disk. */
  save(): void;
}

/**
 * Starts a trainer for a trial, or goes on with its run. The trainer is a process on its own, which outlives this
 * one. Whenever this process is killed, the next one knows from the disk what it has started: the run's name is
 * written before its folder is made, and the trainer waits for a word on its standard input, which it gets when its
 * process's number is written; without that word it ends.
 *
 * @param until    the comparison at which the trial is to pause
 * @param takeOver whether a process of another machine, which has ended, owns the run
 */
export async function launchTrial(
  { program, sweep, frozen, runs, room, fallBack, acceptInputs, inputs, save }: Launcher,
  trial: TrialRecord,
  spec: Experiment,
  { until, takeOver }: { until: string | undefined; takeOver: boolean },
): Promise<void> {
  const run = runFolder(runs, trial, save);
  const begun = existsSync(runPaths(run).events);
  if (!begun) {
    const files = await inputs(trial, spec);
    save();
    createFolder(run);
    // Its trainer compares with them what it reads.
    writeInputs(run, { version: 1, since: 0, files });
    writeTrial(run, { sweep, trial: trial.id, number: trial.number, settings: trial.settings });
    writeAtomic(runPaths(run).spec, `${JSON.stringify(spec, null, 2)}\n`, run);
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
      ...['--threads', String(room.threads), '--frozen', frozen, '--when-told'],
      ...(until === undefined ? [] : ['--pause-at', until]),
    ],
    run,
    waits: true,
  });
  trial.launched = { ...(await processRecord(trainer.pid)), at: Date.now() };
  save();
  trainer.begin();
}

/** A run that was deleted does not come back under its old name: that one may be restored. */
function runFolder(runs: string, trial: TrialRecord, save: () => void): string {
  const known = trial.run === undefined ? undefined : join(runs, trial.run);
  if (known !== undefined && (existsSync(known) || trial.launched === undefined)) return known;
  trial.run = newRunId(new Date());
  trial.launched = undefined;
  save();
  return join(runs, trial.run);
}
