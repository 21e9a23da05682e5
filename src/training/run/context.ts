import type { Stepper } from '../../engine/stepper';
import type { ScalarsWriter } from '../../runs/curve/scalars';
import type { QuantizationCost, RunEvent } from '../../protocol/events';
import type { TrainableInfo } from '../../tasks/task-graph';
import type { AlarmWatch } from '../alarms/watch';
import type { DeviceChoice } from '../device/choose';
import type { Drawer } from '../diffusion/drawer';
import type { InputGuard } from '../inputs/guard';
import type { TrainingState } from '../loop/loop';
import type { Plan } from '../loop/plan';
import type { MicroBatches } from '../micro-batch/micro-batches';
import type { Environment } from '../process/environment';
import type { Task } from '../task/task';
import type { OpenRun } from './open-run';

/** Training of one adapter form: a run that ends in the static form has two phases. */
export interface Phase {
  task: Task;
  stepper: Stepper;
  micro: MicroBatches;
}

/** A run in training: everything that its hooks, its conclusion and its rescue need. */
export interface RunContext {
  open: OpenRun;
  /** In the form that this process starts with. */
  task: Task;
  trainable: readonly TrainableInfo[];
  device: DeviceChoice;
  env: Environment;
  guard: InputGuard;
  plan: Plan;
  state: TrainingState;
  scalars: ScalarsWriter;
  alarms: AlarmWatch;
  /** Draws pictures during training. */
  drawer: Drawer | undefined;
  /** Over all segments of the run, including evaluations and features that are computed once. */
  totals: { seconds: number; examples: number };
  /** The scores of the best adapter on the evaluation sets, as in the journal. */
  scored: RunEvent[];
  /** Measured at the end of a run with `model.quantize`. */
  quantization?: QuantizationCost;
  /** The current phase. */
  phase: Phase;
}
