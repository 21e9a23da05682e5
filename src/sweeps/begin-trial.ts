import { existsSync } from 'node:fs';
import { AuroraError } from '../base/errors';
import type { Experiment } from '../experiment/experiment';
import type { InputChange, RunEvent } from '../protocol/events';
import { isAnyEvaluation } from '../protocol/evaluations';
import { parseExperiment } from '../runs/experiment/load';
import { writeInputs } from '../runs/inputs';
import { Journal } from '../runs/journal/journal';
import { runPaths } from '../runs/layout';
import { writeSpec } from '../runs/stored-spec';
import { outcomeOf } from '../runs/outcome';
import { readRunSummary, type RunSummary } from '../runs/run-summary';
import { writeStatus } from '../runs/status';
import { trialOf, writeTrial } from '../runs/sweep/record';
import type { TaskFile } from '../runs/sweep/task-file';
import { requireResumable } from '../training/checkpoint/resume';
import { latestCheckpoint } from '../training/checkpoint/checkpoint-store';
import { requireSameInputs } from '../training/inputs/require';
import { parsePausePoint, type PausePoint } from '../training/loop/training-plan';
import { completeRun, completeUnowned } from '../training/run/complete';

/** The rest of a trial's work: nothing, or to train its run. */
export type BegunTrial =
  { done: string } | { spec: Experiment; resume: boolean; acceptedInputs?: readonly InputChange[] };

/** True if the run of a trial has finished, whoever owns it. */
export async function hasFinished(run: string): Promise<boolean> {
  const { spec, result } = runPaths(run);
  // Written last.
  if (!existsSync(spec) || !existsSync(result)) return false;
  if (outcomeOf(readRunSummary(run)) !== 'finished') return false;
  await completeUnowned(run);
  return true;
}

/**
 * Prepares the run of a task, which this process owns: as the queue of a sweep on this machine does before it starts a
 * trainer, and as `aurora train --resume` does. With the same task, it may be called any number of times.
 *
 * @throws AuroraError 'run' if the folder has another trial's run, 'inputs' if its files have changed
 */
export async function beginTrial(task: TaskFile): Promise<BegunTrial> {
  const { run, sweep, trial, number, settings, inputs, acceptInputs = false } = task;
  const { events, spec } = runPaths(run);
  const there = trialOf(run);
  if (there && (there.sweep !== sweep || there.trial !== trial))
    throw new AuroraError(
      'run',
      `${run} has the run of trial ${there.number} of the sweep ${there.sweep}, not of trial ${number} of ${sweep}.`,
      'The task was changed, or the folder was moved; run the sweep again.',
    );
  if (existsSync(events)) {
    completeRun(run);
    if (existsSync(runPaths(run).result) && outcomeOf(readRunSummary(run)) === 'finished')
      return { done: `${run} has finished.` };
    const waits = paused(run, parsePausePoint(task.until));
    if (waits) return { done: waits };
    return {
      spec: requireResumable(run),
      resume: true,
      acceptedInputs: await requireSameInputs(run, acceptInputs),
    };
  }
  // The trainer compares the files that it reads with these.
  writeInputs(run, { version: 1, since: 0, files: inputs });
  writeTrial(run, { sweep, trial, number, settings });
  writeSpec(run, task.spec);
  // Checked like an experiment file that is given to `aurora train`.
  return { spec: parseExperiment(spec, JSON.stringify(task.spec, null, 2), []), resume: false };
}

/**
 * Reports if a run has been evaluated at its comparison and saved there or later: trained further, it would be compared
 * at another step. Its journal then ends with the pause, whatever the end of the process that trained it.
 */
function paused(run: string, at: PausePoint | undefined): string | undefined {
  if (!at) return undefined;
  const summary = readRunSummary(run);
  const evaluation = summary.events.find((e) => isAnyEvaluation(e) && e[at.unit] >= at.value);
  const step = evaluation && 'step' in evaluation ? evaluation.step : undefined;
  const saved =
    step === undefined ? undefined : latestCheckpoint(run, () => undefined)?.checkpoint.state.step;
  if (step === undefined || saved === undefined || saved < step) return undefined;
  if (!hasPaused(summary.events)) {
    const journal = Journal.open(runPaths(run).events);
    journal.append({ kind: 'stopped', step: saved, reason: 'rung' });
    journal.close();
  }
  endStatus(run, summary, saved);
  return `${run} is at its comparison with the other trials, at step ${saved}.`;
}

function hasPaused(events: readonly RunEvent[]): boolean {
  const last = events.findLast((e) => e.kind === 'stopped' || e.kind === 'resumed');
  return last?.kind === 'stopped' && (last.reason === 'rung' || last.reason === 'pruned');
}

function endStatus(run: string, { status }: RunSummary, step: number): void {
  if (status?.state === 'running') writeStatus(run, { ...status, state: 'stopped', step });
}
