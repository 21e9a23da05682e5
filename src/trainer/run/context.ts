import type { Stepper } from '../../engine/stepper';
import type { ScalarsWriter } from '../../runs/curve/scalars';
import type { TrainableInfo } from '../../tasks/program';
import type { DeviceChoice } from '../device/choose';
import type { InputGuard } from '../inputs/guard';
import type { TrainingState } from '../loop/loop';
import type { Plan } from '../loop/plan';
import type { MicroBatches } from '../micro-batch/micro-batches';
import type { Environment } from '../process/environment';
import type { Task } from '../task/task';
import type { OpenRun } from './open-run';

/** What is trained in one form of the adapters: a run that ends in the static form has two phases. */
export interface Phase {
  task: Task;
  stepper: Stepper;
  micro: MicroBatches;
}

/** A run that trains: all that its hooks, its last words and its rescue need. */
export interface RunContext {
  open: OpenRun;
  /** In the form that this process begins with. */
  task: Task;
  trainable: readonly TrainableInfo[];
  device: DeviceChoice;
  env: Environment;
  guard: InputGuard;
  plan: Plan;
  state: TrainingState;
  scalars: ScalarsWriter;
  /** Over all segments of the run, evaluations and features that are computed once included. */
  totals: { seconds: number; examples: number };
  /** What is trained now. */
  phase: Phase;
}
