import type { ReadProgress } from '../../data/stream/build';
import type { DeviceRequest } from '../../engine/devices';
import type { Place } from '../../engine/place';
import type { EvaluationSet } from '../../experiment/evaluation-sets';
import type { Experiment } from '../../experiment/experiment';
import type { Alarm } from '../../protocol/alarms/alarms';
import type {
  DivergedEvaluation,
  Evaluated,
  EvaluationMetrics,
  InputChange,
  QuantizationCost,
  StopReason,
} from '../../protocol/events';
import type { Drawn } from '../diffusion/picture-recorder';
import type { DeviceChoice } from '../device/choose';
import type { StepRecord } from '../loop/loop';
import type { PausePoint } from '../loop/pause';
import type { Plan } from '../loop/plan';
import type { Task } from '../task/task';

export interface TrainOptions {
  spec: Experiment;
  /** The run folder, which exists and holds spec.json. */
  run: string;
  resume: boolean;
  /** A resumed run keeps its device unless this names another place. */
  device: DeviceRequest;
  /** Intra-op threads; 0 for one per core. */
  threads: number;
  /** Stop if the lease, control/lease, is not renewed for a minute. */
  lease: boolean;
  /** The folder in which the sweep's trials share what they all compute. */
  frozen?: string;
  /** Save and stop at the first evaluation from there on: a comparison of its sweep. */
  pauseAt: PausePoint | undefined;
  /** The built pulse worker. */
  pulseWorker: string;
  /** The built hash-worker. */
  hashWorker: string;
  /** Files that changed since a resumed run was trained on them, if that is accepted. */
  acceptedInputs?: readonly InputChange[];
  /** The built program, which measures each device in a separate process. */
  program: string;
  listener: TrainListener;
  /** The reason why a signal asked to finish the step, save and stop; undefined without one. */
  interrupted: () => StopReason | undefined;
}

/** The events that a terminal shows; everything is also in the run folder. */
export interface TrainListener {
  /** A large file is being read from start to end, once. */
  reading(progress: ReadProgress): void;
  /** A pipeline's encoders read images and prompts, once. */
  encoding(done: number, of: number): void;
  /** Called before places are measured for `--device auto`. */
  measuring(places: readonly Place[]): void;
  device(choice: DeviceChoice): void;
  prepared(task: Task, plan: Plan, fromStep: number): void;
  stepped(record: StepRecord): void;
  evaluated(step: number, epoch: number, metrics: EvaluationMetrics, best: boolean): void;
  /** Pictures of training.pictures were drawn after a step. */
  drew(step: number, drawn: Drawn, seconds: number): void;
  diverged(event: Omit<DivergedEvaluation, 'kind' | 'form'>): void;
  alarm(alarm: Alarm): void;
  /** From here on, the static form is trained. */
  staticForm(step: number): void;
  /** Training has ended, and the best adapter is about to be evaluated on a set of this many examples. */
  scoring(set: EvaluationSet, examples: number): void;
  scored(set: EvaluationSet, metrics: Evaluated): void;
  /** The cost of model.quantize is about to be measured. */
  measuringQuantization(): void;
  quantization(cost: QuantizationCost): void;
  warning(message: string): void;
}
