import { AuroraError } from '../../base/errors';
import { type DeviceRequest, PROCESSOR } from '../../engine/devices';
import type { Stepper } from '../../engine/stepper';
import type { Experiment } from '../../experiment/experiment';
import { metricValue } from '../../experiment/metrics';
import type { RefineCost, RefineEvaluation, Refinement } from '../../protocol/refinement';
import type { Trained } from '../checkpoint/trained-run';
import { initialState } from '../checkpoint/state';
import { resumedChoice } from '../device/choose';
import { settle } from '../device/open-on-device';
import { tryLongest } from '../loop/check-packing';
import { DivergenceWatch } from '../loop/divergence';
import { evaluateDataset } from '../loop/evaluate';
import { type LoopHooks, type StepRecord, trainingLoop, type TrainingState } from '../loop/loop';
import { median, sampleSteps } from '../loop/sample';
import { makePlan, type Plan } from '../loop/training-plan';
import { lookAhead } from '../micro-batch/look-ahead';
import { MicroBatches } from '../micro-batch/micro-batches';
import { hasFiniteValues } from '../optimizer/finite';
import { skippedWarning } from '../optimizer/loss-scale';
import { copyOf } from '../optimizer/optimizer';
import { secondsOfSteps, trainSteps } from '../preflight/measure-steps';
import type { Task } from '../task/task';

/** A run with its training data, whose adapters are those to start from. */
export type Start = Pick<Trained, 'run' | 'task' | 'parameters'>;

export interface RefineOptions {
  /** Optimizer steps, 1 or more. */
  steps: number;
  /** For the step graphs; the caller removes it. */
  folder: string;
  /** Intra-op threads; 0 for one per core. */
  threads: number;
  /** The built program, which tries any device but the CPU in a separate process. */
  program: string;
  /** Called before the first step. */
  cost: (cost: RefineCost) => void | Promise<void>;
  stepped: (record: StepRecord) => void;
  evaluated: (evaluation: RefineEvaluation, best: boolean) => void;
  warn: (message: string) => void;
}

export interface Refined {
  /** The values at the best evaluation, the start's included. */
  parameters: Map<string, Float32Array>;
  refinement: Refinement;
}

/** Steps that the cost is measured on, besides a first one of the longest examples. */
const MEASURED = 3;

/**
 * Trains adapters that replace a run's own on the run's task, from the given values: the batches and dropout masks of
 * the run's first steps, with its optimizer, rates, schedule, evaluation interval and early stopping. Evaluates the
 * start too, and returns the values of the best evaluation by training.metric.
 *
 * @throws AuroraError 'diverged' if training diverges
 */
export async function refine(start: Start, options: RefineOptions): Promise<Refined> {
  const task = refinedTask(start.task, options.steps);
  const { folder, threads, program, warn } = options;
  const { stepper, trainable, choice } = (await settle(task, task, {
    request: ON_CPU,
    before: resumedChoice(start.run.events, ON_CPU),
    onFeatures: false,
    measuring: () => {},
    stopped: () => false,
    ...{ threads, folder, program, warn },
  }))!;
  try {
    const micro = new MicroBatches(task, stepper, choice.place, warn);
    await tryLongest(stepper, task, micro, start.parameters);
    await lookAhead(task, stepper, micro, start.parameters);
    const atStart = () => ({ ...initialState(task, trainable), parameters: copyOf(start.parameters) });
    return await train({ task, stepper, micro }, atStart, options);
  } catch (e) {
    throw e instanceof AuroraError && e.kind === 'diverged' ? diverged(e) : e;
  } finally {
    await stepper.dispose();
  }
}

/** A run without a recorded device is an import. */
const ON_CPU: DeviceRequest = {
  ...PROCESSOR.onnxruntime,
  fallBack: true,
  given: { engine: false, device: false },
};

/** A task whose plan has this many steps, with the same share of warm-up, and one form. */
function refinedTask(task: Task, steps: number): Task {
  const { totalSteps, warmupSteps } = makePlan(task.spec.training, task.trainingSet.examples.length);
  const training: Experiment['training'] = {
    ...task.spec.training,
    maxSteps: steps,
    warmupSteps: Math.min(steps, Math.ceil((steps * warmupSteps) / totalSteps)),
  };
  delete training.staticEpochs;
  return { ...task, spec: { ...task.spec, training } };
}

interface Opened {
  task: Task;
  stepper: Stepper;
  micro: MicroBatches;
}

async function train(opened: Opened, atStart: () => TrainingState, options: RefineOptions): Promise<Refined> {
  const { task, stepper, micro } = opened;
  const plan = makePlan(task.spec.training, task.trainingSet.examples.length);
  const state = atStart();
  const kept = new BestAdapters(state, options);
  const began = performance.now();
  await evaluateStart(opened, state, kept);
  const secondsOfEvaluation = (performance.now() - began) / 1000;
  await options.cost(await costOf(opened, plan, atStart(), secondsOfEvaluation));
  const trainingBegan = performance.now();
  await trainingLoop(task, stepper, micro, plan, state, hooksOf(task, state, kept, options));
  const seconds = secondsOfEvaluation + (performance.now() - trainingBegan) / 1000;
  return {
    parameters: kept.parameters,
    refinement: {
      steps: state.step,
      of: options.steps,
      best: state.best!.step,
      seconds,
      evaluations: kept.evaluations,
    },
  };
}

/** Counts as an evaluation: for the choice of the best, and for early stopping. */
async function evaluateStart({ task, stepper, micro }: Opened, state: TrainingState, kept: BestAdapters) {
  const { dataset } = task.data.validation;
  const metrics = await evaluateDataset(stepper, task, micro, dataset, state.parameters);
  if (metrics === 'diverged')
    throw new AuroraError(
      'run',
      'With the fitted adapters, the model’s logits on the validation data are not finite, so they cannot be refined.',
      'Export without --refine, or choose an earlier checkpoint with --at.',
    );
  const { best } = state.stopping.update(metricValue(metrics, task.spec.training.metric));
  state.best = { step: 0, metrics };
  kept.add({ step: 0, metrics }, best);
}

/** Measures steps as preflight does, on a state that is not trained further. */
async function costOf(
  { task, stepper, micro }: Opened,
  plan: Plan,
  state: TrainingState,
  secondsOfEvaluation: number,
): Promise<RefineCost> {
  const { trainingSet, spec } = task;
  const sample = sampleSteps(trainingSet, spec.training, Math.min(MEASURED, plan.totalSteps));
  const warmUp = [sample.longest];
  const measured = await trainSteps(task, stepper, micro, state, [warmUp, ...sample.steps], plan);
  const evaluations = Array.from({ length: plan.totalSteps }, (_, i) => i + 1).filter(plan.evaluates).length;
  return {
    steps: plan.totalSteps,
    secondsPerStep: median(measured),
    evaluations,
    seconds: secondsOfSteps(measured, sample, trainingSet, plan) + evaluations * secondsOfEvaluation,
  };
}

/** Keeps the evaluations, and a copy of the best one's values. */
class BestAdapters {
  readonly evaluations: RefineEvaluation[] = [];
  parameters = new Map<string, Float32Array>();

  constructor(
    private readonly state: TrainingState,
    private readonly options: RefineOptions,
  ) {}

  add(evaluation: RefineEvaluation, best: boolean): void {
    this.evaluations.push(evaluation);
    if (best) this.parameters = copyOf(this.state.parameters);
    this.options.evaluated(evaluation, best);
  }
}

function hooksOf(task: Task, state: TrainingState, kept: BestAdapters, options: RefineOptions): LoopHooks {
  const { data, kind } = task;
  const watch = new DivergenceWatch([], kind.guessLoss(data), kind.baseline(data));
  const nothing = () => Promise.resolve();
  return {
    stepped(record) {
      watch.stepped(record.loss);
      options.stepped(record);
    },
    skipped(step, lossScale) {
      const message = skippedWarning(step, lossScale);
      if (message) options.warn(message);
    },
    allocated: () => {},
    judge: (found) => watch.judge(hasFiniteValues(state.parameters) ? found : 'diverged'),
    seen: () => {},
    writing: () => {},
    evaluated: async (step, _epoch, metrics, best) => kept.add({ step, metrics }, best),
    diverged: () => {},
    begun: nothing,
    snapshot: nothing,
    checkpoint: nothing,
    pictures: nothing,
    stopRequested: () => undefined,
    checkpointRequested: () => false,
  };
}

const diverged = (e: AuroraError): AuroraError =>
  new AuroraError(
    'diverged',
    `Refining the fitted adapters failed. ${e.message}`,
    'Export without --refine, or train with a lower training.learningRate.',
    { cause: e },
  );
