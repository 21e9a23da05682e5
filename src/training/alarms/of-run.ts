import { readScalars, type Scalars } from '../../runs/curve/scalars-reader';
import type { RunEvent } from '../../protocol/events';
import type { Plan } from '../loop/plan';
import type { Task } from '../task/task';
import { AlarmWatch, type WatchedStep } from './watch';

/**
 * The watch of a run that starts or continues after `from` steps, as if it had not been interrupted.
 *
 * @param run its folder, whose curve ends at that step
 * @param events its journal
 */
export function alarmWatchOf(
  { data, kind }: Pick<Task, 'data' | 'kind'>,
  { totalSteps: steps, warmupSteps }: Pick<Plan, 'totalSteps' | 'warmupSteps'>,
  run: string,
  events: readonly RunEvent[],
  from: number,
): AlarmWatch {
  const watch = new AlarmWatch({
    ...{ guessLoss: kind.guessLoss(data), baseline: kind.baseline(data), steps, warmupSteps },
  });
  const before = events.filter((e) => 'step' in e && e.step <= from);
  watch.replay(stepsOf(readScalars(run)), before);
  return watch;
}

/** A column that a damaged file lacks is NaN, which no rule counts. */
export function* stepsOf(scalars: Scalars): Iterable<WatchedStep> {
  const column = (name: string) => scalars.column(name);
  const [step, loss] = [column('step'), column('loss')];
  const [learningRate, gradientNorm] = [column('learningRate'), column('gradientNorm')];
  for (let i = 0; i < scalars.records; i++)
    yield {
      step: step?.[i] ?? NaN,
      loss: loss?.[i] ?? NaN,
      learningRate: learningRate?.[i] ?? NaN,
      gradientNorm: gradientNorm?.[i] ?? NaN,
    };
}
