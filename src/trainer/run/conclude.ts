import type { TrainableInfo } from '../../tasks/program';
import { writeAtomic } from '../../files/atomic';
import { elementCount } from '../../graph/model';
import type { Journal } from '../../runs/journal/journal';
import { runPaths } from '../../runs/layout';
import { AuroraError } from '../../base/errors';
import type { StopReason } from '../../protocol/events';
import type { DeviceChoice } from '../device/choose';
import type { Environment } from '../process/environment';
import { divergedAtEnd } from '../optimizer/finite';
import type { LoopEnd, TrainingState } from '../loop/loop';
import { makeResult, type FinishedResult, type RunResult } from './result';
import type { Task } from '../task/task';

export type TrainOutcome = { end: 'finished'; result: FinishedResult } | { end: StopReason; step: number };

/** What is known of a run when its training ends. */
export interface Ending {
  run: string;
  task: Task;
  trainable: readonly TrainableInfo[];
  state: TrainingState;
  journal: Journal;
  totals: { seconds: number; examples: number };
  env: Environment;
  device: DeviceChoice;
}

/**
 * Writes the last words of a run whose loop has ended.
 *
 * @throws AuroraError 'diverged' where it was trained to its end and the model has exploded there
 */
export function conclude(end: LoopEnd, ending: Ending): TrainOutcome {
  const { state, journal, totals } = ending;
  const { step, last } = state;
  if (end !== 'finished' && end !== 'early-stopping') {
    journal.append({ kind: 'stopped', step, reason: end });
    return { end, step };
  }
  if (last === undefined || last === 'diverged') {
    writeResult('diverged', ending);
    throw divergedAtEnd(step);
  }
  if (end === 'early-stopping') journal.append({ kind: 'stopped', step, reason: end });
  state.best ??= { step, metrics: last };
  const result = writeResult(end, ending) as FinishedResult;
  journal.append({ kind: 'finished', step, best: result.best, last, seconds: totals.seconds });
  return { end: 'finished', result };
}

/** Where an error is that training diverged, the run has a result that says so. Throws the error again. */
export function concludeFailed(error: unknown, ending: Ending): never {
  if (error instanceof AuroraError && error.kind === 'diverged') writeResult('diverged', ending);
  throw error;
}

function writeResult(outcome: RunResult['outcome'], ending: Ending): RunResult {
  const { run, task, trainable, state, totals, env, device } = ending;
  const { step, best, last, lossScale } = state;
  const result = makeResult(
    task,
    {
      ...{ outcome, steps: step, ...totals, skippedSteps: lossScale?.skipped },
      ...(best && { best }),
      ...(last && last !== 'diverged' && outcome !== 'diverged' && { last }),
    },
    trainedCounts(trainable),
    env,
    device,
  );
  writeAtomic(runPaths(run).result, `${JSON.stringify(result, null, 2)}\n`, run);
  return result;
}

export function trainedCounts(trainable: readonly TrainableInfo[]): { adapters: number; head: number } {
  const sum = (part: TrainableInfo['part']) =>
    trainable.filter((t) => t.part === part).reduce((n, t) => n + elementCount(t.dims), 0);
  return { adapters: sum('adapter'), head: sum('head') };
}
