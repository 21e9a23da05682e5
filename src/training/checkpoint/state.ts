import type { TrainableInfo } from '../../tasks/task-graph';
import type { Checkpoint } from './checkpoint';
import { EarlyStopping, withoutBest } from '../loop/early-stopping';
import type { TrainingState } from '../loop/loop';
import { LossScale } from '../optimizer/loss-scale';
import { AdamW, parameterGroups } from '../optimizer/optimizer';
import { initialParameters, type Task } from '../task/task';

/** The initial state of a run: seeded parameters, no moments, nothing evaluated. */
export function initialState(task: Task, trainable: readonly TrainableInfo[]): TrainingState {
  const { training } = task.spec;
  return {
    step: 0,
    parameters: initialParameters(task),
    optimizer: new AdamW(parameterGroups(trainable, training), {
      betas: training.betas,
      epsilon: training.epsilon,
    }),
    lossScale: training.precision === 'mixed' ? new LossScale() : undefined,
    stopping: new EarlyStopping(training.metric, training.earlyStopping),
    best: undefined,
    last: undefined,
  };
}

/** The state at a checkpoint: the optimizer and early stopping of `fresh` continue from it. */
export function restoredState(fresh: TrainingState, checkpoint: Checkpoint): TrainingState {
  const { state, parameters, optimizer } = checkpoint;
  fresh.optimizer.load(optimizer);
  // A fork of a float32 run may be the first with a loss scale; a fork of a mixed run may have none.
  if (state.lossScale) fresh.lossScale?.load(state.lossScale);
  const best = state.best ? { step: state.best.step, metrics: state.best } : undefined;
  fresh.stopping.load(best || !state.best ? state.earlyStopping : withoutBest(state.earlyStopping));
  const { step, unevaluated, last } = state;
  return { ...fresh, step, parameters, best, last: last ?? undefined, ...(unevaluated && { unevaluated }) };
}
