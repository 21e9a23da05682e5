import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ReadProgress } from '../../data/stream/build-index';
import type { DeviceRequest } from '../../engine/devices';
import type { Place } from '../../engine/place';
import type { Evaluator, Stepper } from '../../engine/stepper';
import type { EvaluationSet } from '../../experiment/evaluation-sets';
import type { Experiment } from '../../experiment/experiment';
import { cacheFolder } from '../../files/cache-folder';
import { modelKind } from '../../files/model-path';
import { removeAbandoned, temporaryBeside } from '../../files/temporary';
import { showsChanges } from '../../graph/file/place-weights';
import type {
  Alarm,
  DivergedEvaluation,
  Evaluated,
  EvaluationMetrics,
  InputChange,
  QuantizationCost,
  RunEvent,
  StopReason,
} from '../../protocol/events';
import type { Ranks } from '../../protocol/ranks';
import type { ScalarsWriter } from '../../runs/curve/scalars';
import { HeldFolder } from '../../runs/held';
import { Journal } from '../../runs/journal/journal';
import { runPaths } from '../../runs/layout';
import type { TrainableInfo } from '../../tasks/task-graph';
import type { AlarmWatch } from '../alarms/alarm-watch';
import type { DeviceChoice } from '../device/choose';
import type { Drawer } from '../diffusion/drawer';
import type { Drawn } from '../diffusion/picture-recorder';
import type { InputGuard } from '../inputs/input-guard';
import type { StepRecord, TrainingState } from '../loop/loop';
import type { PausePoint, Plan } from '../loop/training-plan';
import type { MicroBatches } from '../micro-batch/micro-batches';
import type { Environment } from '../process/environment';
import { attempt } from '../process/run-failure';
import { LEASE_MS, Pulse } from '../process/pulse';
import type { Task } from '../task/task';
import type { TrainOutcome } from './conclude';

/** A run whose folder this process writes, from before anything is read, and the known facts about it if it fails. */
export class OpenRun {
  readonly run: string;
  readonly spec: Experiment;
  readonly listener: TrainListener;
  readonly pulse: Pulse;
  /** The folder of the runtime's graphs. */
  readonly graphs: string;
  /** The last step that was trained. */
  step = 0;
  /** Undefined if none is open. The code that ends the run disposes of it. */
  stepper: Evaluator | undefined;
  /** Set once there is a state to save. */
  training: RunContext | undefined;
  /** Set once the journal has the run's last line. */
  outcome: TrainOutcome | undefined;

  private constructor(
    readonly options: TrainOptions,
    readonly held: HeldFolder,
    readonly journal: Journal,
  ) {
    this.run = options.run;
    this.spec = options.spec;
    this.listener = options.listener;
    this.graphs = graphFolderOf(this.run, this.spec);
    this.pulse = Pulse.start(this.run, options.pulseWorker, {
      ...(options.lease && { lease: LEASE_MS }),
      resources: true,
      warn: (message) => void attempt(() => this.warn(message)),
    });
  }

  static open(options: TrainOptions): OpenRun {
    const { run } = options;
    const held = HeldFolder.open(run);
    const journal = Journal.open(runPaths(run).events);
    held.watch(runPaths(run).events);
    return new OpenRun(options, held, journal);
  }

  readonly warn = (message: string): void => {
    this.journal.append({ kind: 'warning', message });
    this.listener.warning(message);
  };

  stopRequested(): StopReason | undefined {
    // A scheduler starts a run again that it ended, so the user's request outweighs its signal.
    const signalled = this.options.interrupted();
    return signalled === 'requested' ? signalled : (this.pulse.stopRequested() ?? signalled);
  }

  close(): void {
    this.journal.close();
    this.held.close();
  }
}

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
  /** Initial values of adapters are computed from the weights or from data, before the first step. */
  starting(initialization: string, share: number): void;
  /** The ranks that the data gave the adapted layers, by their paths. */
  ranks(ranks: Ranks): void;
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
  /** An evaluation has written so many of its answers. */
  writing(done: number, of: number): void;
  /** The cost of model.quantize is about to be measured. */
  measuringQuantization(): void;
  quantization(cost: QuantizationCost): void;
  warning(message: string): void;
}

/** Bytes of a model that is not copied if there is another way. */
const LARGE = 1e9;

/**
 * The folder of the runtime's graphs, with the model's weights linked beside them: in the run or, for a large model on
 * another file system than the run's, beside the model, under a name that is removed with the run's process or by the
 * next one.
 */
export function graphFolderOf(run: string, { model }: Pick<Experiment, 'model'>, large = LARGE): string {
  const inRun = join(run, 'graph');
  try {
    const root = dirname(model.path);
    // The other parts of a pipeline are smaller.
    const own = modelKind(model.path) === 'pipeline' ? join(root, 'unet') : root;
    const weights = model.quantize === undefined ? own : cacheFolder();
    if (statSync(weights).dev === statSync(run).dev || bytesIn(own) < large || !showsChanges(weights))
      return inRun;
    removeAbandoned(weights);
    const beside = temporaryBeside(join(weights, 'graph'));
    mkdirSync(beside);
    process.once('exit', () => rmSync(beside, { recursive: true, force: true }));
    return beside;
  } catch {
    // A folder that does not exist, or cannot be written to: the model's reader reports the problem.
    return inRun;
  }
}

const bytesIn = (folder: string): number =>
  readdirSync(folder).reduce((sum, name) => {
    const found = statSync(join(folder, name), { throwIfNoEntry: false });
    return sum + (found?.isFile() ? found.size : 0);
  }, 0);
