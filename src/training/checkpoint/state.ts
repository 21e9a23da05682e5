import { namedAdapters } from '../../adapters/stored-tensors';
import type { Course } from '../../adapters/methods/method';
import { methodOf } from '../../adapters/methods/registry';
import type { TrainableInfo } from '../../tasks/task-graph';
import type { Checkpoint } from './checkpoint';
import { EarlyStopping, withoutBest } from '../loop/early-stopping';
import type { TrainingState } from '../loop/loop';
import { LossScale } from '../optimizer/loss-scale';
import { AdamW, parameterGroups } from '../optimizer/optimizer';
import { initialParameters, type Task } from '../task/task';

/**
 * The initial state of a run: seeded parameters, no moments, nothing evaluated.
 *
 * @param steps of the whole training; without them, the method does nothing beside the optimizer
 * @throws AuroraError 'experiment' where the method has a schedule that does not fit these steps
 */
export function initialState(task: Task, trainable: readonly TrainableInfo[], steps?: number): TrainingState {
  const { training } = task.spec;
  const course = steps === undefined ? undefined : courseOf(task, steps);
  return {
    step: 0,
    parameters: initialParameters(task),
    optimizer: new AdamW(parameterGroups(trainable, training), {
      betas: training.betas,
      epsilon: training.epsilon,
      form: course?.adamw,
    }),
    course,
    lossScale: training.precision === 'mixed' ? new LossScale() : undefined,
    stopping: new EarlyStopping(training.metric, training.earlyStopping),
    best: undefined,
    last: undefined,
  };
}

/** The course of the adapters' method, at its beginning. */
function courseOf({ adapters }: Task, steps: number): Course | undefined {
  const { course } = adapters.length > 0 ? methodOf(adapters[0].spec) : {};
  return course?.(namedAdapters(adapters), steps);
}

/** The state at a checkpoint: the optimizer and early stopping of `fresh` continue from it. */
export function restoredState(fresh: TrainingState, checkpoint: Checkpoint): TrainingState {
  const { state, parameters, optimizer, course } = checkpoint;
  fresh.optimizer.load(optimizer);
  fresh.course?.load?.(course);
  // A fork of a float32 run may be the first with a loss scale; a fork of a mixed run may have none.
  if (state.lossScale) fresh.lossScale?.load(state.lossScale);
  const best = state.best ? { step: state.best.step, metrics: state.best } : undefined;
  fresh.stopping.load(best || !state.best ? state.earlyStopping : withoutBest(state.earlyStopping));
  const { step, unevaluated, last } = state;
  return { ...fresh, step, parameters, best, last: last ?? undefined, ...(unevaluated && { unevaluated }) };
}
