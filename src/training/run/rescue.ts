import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { writeAtomic } from '../../files/atomic';
import { fence, requireOwned, writerOf } from '../../files/fence';
import { disown } from '../../files/owner';
import { shellQuote } from '../../base/shell-quote';
import { lossOf } from '../../runs/held';
import { createFolder, runPaths } from '../../runs/layout';
import { writeSpec } from '../../runs/stored-spec';
import { homeOf } from '../../runs/trash';
import { AuroraError } from '../../base/errors';
import type { NewEvent } from '../../protocol/events';
import { writeAdapter } from '../checkpoint/adapter-files';
import { saveCheckpoint } from '../checkpoint/checkpoint-store';
import { withoutBest } from '../loop/early-stopping';
import { attempt, failedEvent } from '../process/run-failure';
import type { RunContext, OpenRun } from './open-run';
import { checkpointOf } from './hooks';

/**
 * Saves a run whose folder, or a file in it, was moved or removed: to where the folder now is, or else as a separate
 * run in `.aurora/recovered`. Nothing is written to the old path.
 *
 * @returns the error that ends training: the event, and the way to resume
 * @throws AuroraError 'disk' if it cannot be saved; the rest of the run is marked as failed
 */
export async function rescue(run: OpenRun, lost: string): Promise<AuroraError> {
  const { held } = run;
  const what = lossOf(lost, held.run);
  const moved = lost === held.run ? held.now() : undefined;
  const error = new AuroraError('lost', what, undefined);
  if (moved !== undefined) {
    await saveMoved(run, moved, error);
    const hint = run.training
      ? resumeHint(moved)
      : `Training stopped: start it again with \`aurora train --resume ${shellQuote(moved)}\`.`;
    return new AuroraError('lost', `${what} It is now ${moved}.`, hint);
  }
  const left = lost === held.run ? undefined : held.run;
  if (!run.training) {
    await leaveFailed(run, left, error);
    return new AuroraError('lost', what, 'Start the run again: it had not trained a step.');
  }
  try {
    const to = recoveredFolder(held.run);
    await saveAnother(run, run.training, to, error);
    await leaveFailed(run, left, error);
    return new AuroraError('lost', `${what} Its state was saved to ${to}.`, resumeHint(to));
  } catch (e) {
    const failure = notSaved(error, e);
    await leaveFailed(run, left, failure);
    throw failure;
  }
}

/** Writes the last line and status to the rest of a run, as far as the disk allows. */
async function leaveFailed({ journal, pulse, step }: OpenRun, left: string | undefined, error: Error) {
  if (left === undefined) return;
  await attempt(() => journal.append(failedEvent(step, error)));
  await attempt(() => pulse.end('failed', left));
}

const notSaved = (lost: Error, e: unknown): Error =>
  e instanceof AuroraError && e.kind === 'disk'
    ? new AuroraError('disk', `${lost.message} Its state could not be saved: ${e.message}`, e.hint, {
        cause: e,
      })
    : (e as Error);

const resumeHint = (run: string): string =>
  `Training stopped, and its state is saved: resume it with \`aurora train --resume ${shellQuote(run)}\`.`;

/** This process still owns the folder under its new name until it has saved the run there. */
async function saveMoved(run: OpenRun, to: string, error: Error): Promise<void> {
  const owner = writerOf(run.held.run);
  const open = owner && fence(to, { nonce: owner.nonce });
  try {
    requireOwned(to);
    await writeMoved(run, to, error);
  } finally {
    open?.();
    if (owner) disown(to, owner.nonce);
  }
}

/** The open journal is the moved one: new lines are written there. */
async function writeMoved(run: OpenRun, to: string, error: Error) {
  const { journal, pulse, step, training } = run;
  try {
    if (training) {
      training.scalars.flush();
      saveState(to, training);
      const path = join('checkpoints', basename(saveCheckpoint(to, checkpointOf(training))));
      journal.append({ kind: 'checkpoint', step, path });
    }
    journal.append(failedEvent(step, error));
  } catch (e) {
    const failure = notSaved(error, e);
    await leaveFailed(run, to, failure);
    throw failure;
  }
  await pulse.end('failed', to);
  requireOwned(to);
  for (const name of ['graph', 'frozen']) rmSync(join(to, name), { recursive: true, force: true });
}

/** Writes a copy of the run; its journal has lines that the original, with different checkpoints, does not get. */
async function saveAnother(
  { spec, journal, pulse, step }: OpenRun,
  training: RunContext,
  to: string,
  error: Error,
): Promise<void> {
  const paths = runPaths(to);
  const { scalars, phase } = training;
  saveState(to, training);
  const checkpoint = checkpointOf(training);
  const { best, earlyStopping } = checkpoint.state;
  // The best adapter was in the folder, unless it is this one; from here on, a new best is tracked.
  const hasBest = best?.step === step;
  if (hasBest) writeAdapter(to, 'best', phase.task, checkpoint.parameters, step);
  const state = hasBest
    ? checkpoint.state
    : { ...checkpoint.state, best: null, earlyStopping: withoutBest(earlyStopping) };
  const path = join('checkpoints', basename(saveCheckpoint(to, { ...checkpoint, state })));
  writeAtomic(paths.scalarColumns, scalars.header(), to);
  writeAtomic(paths.scalars, scalars.content(), to);
  const lostBest = `The best adapter, of step ${best?.step}, was lost with the run's folder; the best is determined from step ${step} on.`;
  const lines: NewEvent[] = [
    { kind: 'checkpoint', step, path },
    ...(best && !hasBest ? [{ kind: 'warning' as const, message: lostBest }] : []),
    failedEvent(step, error),
  ];
  writeAtomic(paths.events, journal.content(lines), to);
  // Written last: without it, a partial copy is not taken for a run.
  writeSpec(to, spec);
  await pulse.end('failed', to);
}

function saveState(to: string, { phase, state }: RunContext): void {
  writeAdapter(to, 'last', phase.task, state.parameters, state.step);
}

/** In `.aurora` beside the runs; if that is gone too, in the system's temporary folder. */
function recoveredFolder(run: string): string {
  const home = homeOf(run);
  const place = existsSync(dirname(home)) ? join(home, 'recovered') : join(tmpdir(), 'aurora-recovered');
  createFolder(place);
  for (let i = 1; ; i++) {
    const folder = join(place, i === 1 ? basename(run) : `${basename(run)}-${i}`);
    if (existsSync(folder)) continue;
    mkdirSync(folder);
    return folder;
  }
}
