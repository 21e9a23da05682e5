import { basename } from 'node:path';
import { AuroraError } from '../../base/errors';
import type { ReadWatch } from '../../data/stream/build-index';
import { writeAtomic } from '../../files/atomic';
import { elementCount } from '../../graph/model';
import { rankCounts } from '../../peft/used-ranks';
import type { Alarm, StopReason } from '../../protocol/events';
import { preparingRead } from '../../protocol/preparing';
import { scoresOf } from '../../protocol/evaluations';
import { runPaths } from '../../runs/layout';
import type { TrainableInfo } from '../../tasks/task-graph';
import type { LoopEnd } from '../loop/loop';
import { Stopped } from '../loop/stopped';
import type { WritingWatch } from '../loop/written-answers';
import { divergedAtEnd, NotFinite } from '../optimizer/finite';
import type { OpenRun, RunContext } from './open-run';
import { type FinishedResult, makeResult, type RunResult } from './run-result';

export type TrainOutcome = { end: 'finished'; result: FinishedResult } | { end: StopReason; step: number };

/**
 * Writes the final records of a run whose loop has ended.
 *
 * @throws AuroraError 'diverged' if it was trained to its end and the model exploded there
 */
export function conclude(end: LoopEnd, context: RunContext): TrainOutcome {
  const { open, state, totals } = context;
  const { step, last } = state;
  if (end !== 'finished' && end !== 'early-stopping') {
    open.journal.append({ kind: 'stopped', step, reason: end });
    return { end, step };
  }
  if (last === undefined || last === 'diverged') {
    writeResult('diverged', context);
    throw divergedAtEnd(step);
  }
  if (end === 'early-stopping') open.journal.append({ kind: 'stopped', step, reason: end });
  state.best ??= { step, metrics: last };
  const result = writeResult(end, context) as FinishedResult;
  open.journal.append({ kind: 'finished', step, best: result.best, last, seconds: totals.seconds });
  return { end: 'finished', result };
}

/** Raises its alarm and writes a `diverged` result if the error is divergence. Rethrows the error. */
export function concludeFailed(error: unknown, context: RunContext): never {
  if (error instanceof NotFinite) raise(context.open, context.alarms.nonFinite(error.step, error.what));
  if (error instanceof AuroraError && error.kind === 'diverged') writeResult('diverged', context);
  throw error;
}

function writeResult(outcome: RunResult['outcome'], context: RunContext): RunResult {
  const { open, task, trainable, state, totals, scored, quantization, alarms, env, device } = context;
  const { step, best, last, lossScale } = state;
  const scores = outcome === 'diverged' ? undefined : scoresOf(scored, open.spec.data);
  const result = makeResult(
    task,
    {
      ...{ outcome, steps: step, ...totals, skippedSteps: lossScale?.skipped },
      best,
      ...(last && last !== 'diverged' && outcome !== 'diverged' && { last }),
      scores,
      quantization,
      ...(alarms.raised.length > 0 && { alarms: alarms.raised }),
      ranks: rankCounts(task.adapters, state.parameters),
    },
    trainedCounts(trainable),
    env,
    device,
  );
  writeAtomic(runPaths(open.run).result, `${JSON.stringify(result, null, 2)}\n`, open.run);
  return result;
}

export function trainedCounts(trainable: readonly TrainableInfo[]): { adapters: number; head: number } {
  const sum = (part: TrainableInfo['part']) =>
    trainable.filter((t) => t.part === part).reduce((n, t) => n + elementCount(t.dims), 0);
  return { adapters: sum('adapter'), head: sum('head') };
}

/** Records alarms in the journal and shows them. */
export function raise(
  { journal, listener }: Pick<OpenRun, 'journal' | 'listener'>,
  alarms: readonly Alarm[],
): void {
  for (const alarm of alarms) {
    journal.append({ kind: 'alarm', ...alarm });
    listener.alarm(alarm);
  }
}

/** Thrown while data are read: nothing has been trained that could be saved. */
export class StoppedReading extends Error {
  constructor(readonly reason: StopReason) {
    super(reason);
  }
}

export function readWatch(open: OpenRun): ReadWatch {
  return (progress) => {
    const reason = open.stopRequested();
    if (reason) throw new StoppedReading(reason);
    open.listener.reading(progress);
    const { done, of } = progress;
    const file = basename(progress.path);
    if (progress.unit === 'rows' && done < of) open.pulse.preparing({ doing: 'tokenizing', file, done, of });
    else open.pulse.preparing(preparingRead(file, done, of));
  };
}

/**
 * Reports the progress of an evaluation that writes answers.
 *
 * @param stops true to throw `Stopped` if the run was asked to stop
 */
export function writingWatch(open: OpenRun, stops: boolean): WritingWatch {
  const stop = stopWatch(open);
  return (done, of) => {
    if (stops) stop();
    open.listener.writing(done, of);
    open.pulse.preparing(done < of ? { doing: 'writing', done, of } : undefined);
  };
}

/** Throws if the run was asked to stop. */
export const stopWatch = (open: OpenRun) => (): void => {
  const reason = open.stopRequested();
  if (reason) throw new Stopped(reason);
};
