import { metricValue } from '../../experiment/metrics';
import type { Course, RanksKept } from '../../adapters/methods/method';
import type { Dataset } from '../../data/dataset';
import { epochOrder } from '../../data/row-order';
import type { TrainingSpec } from '../../experiment/experiment';
import type { Stepper } from '../../engine/stepper';
import type { DivergedEvaluation, Evaluated, EvaluationMetrics, StopReason } from '../../protocol/events';
import { clipByGlobalNorm, type AdamW } from '../optimizer/optimizer';
import type { Judged } from './divergence';
import { DropoutMasks } from '../optimizer/dropout';
import type { EarlyStopping } from './early-stopping';
import { evaluateDataset } from './evaluate';
import { divergedEvaluation, hasFiniteValues, requireFinite, requireFiniteLoss } from '../optimizer/finite';
import { type LossScale, withLossScale } from '../optimizer/loss-scale';
import type { MicroBatches } from '../micro-batch/micro-batches';
import { Stopped } from './stopped';
import { type Plan, scheduleFactor } from './training-plan';
import { gradientStep, type GradientStep } from './gradient-step';
import type { Task } from '../task/task';
import type { WritingWatch } from './written-answers';

export interface BestEvaluation {
  step: number;
  metrics: EvaluationMetrics;
}

/** A step's results for the journal and the progress bar. */
export interface StepRecord {
  step: number;
  loss: number;
  learningRate: number;
  /** NaN if the step's update was skipped. */
  gradientNorm: number;
  examples: number;
  tokens: number;
  seconds: number;
}

/** Everything that changes during training; a checkpoint holds exactly this. */
export interface TrainingState {
  /** Optimizer steps done. */
  step: number;
  parameters: Map<string, Float32Array>;
  optimizer: AdamW;
  /** Only of methods that do more than the optimizer. */
  course: Course | undefined;
  /** Mixed precision only. */
  lossScale: LossScale | undefined;
  stopping: EarlyStopping;
  best: BestEvaluation | undefined;
  last: Evaluated | undefined;
  /** Set while the evaluation of this step is due: a stop request ended it. */
  unevaluated?: true;
}

/** The loop's callbacks to the run that owns it. */
export interface LoopHooks {
  stepped(record: StepRecord): void;
  /** Called after the first step of a run, whose loss a user waits for: records the state before it. */
  begun(): Promise<void>;
  /** This step's gradients overflowed float16 and were discarded. */
  skipped(step: number, lossScale: LossScale): void;
  /** The method has changed how many ranks are in use. */
  allocated(step: number, ranks: RanksKept): void;
  /** The verdict on an evaluation: it counts, or belongs to a diverged model. */
  judge(found: Evaluated): Judged;
  /** Called with an evaluation's logits of an example; valid only during the call. */
  seen(example: number, logits: Float32Array): void;
  /** Called while an evaluation writes answers. @throws Stopped if the run was asked to stop */
  writing: WritingWatch;
  evaluated(
    step: number,
    epoch: number,
    metrics: EvaluationMetrics,
    best: boolean,
    seconds: number,
  ): Promise<void>;
  diverged(event: Omit<DivergedEvaluation, 'kind' | 'form'>): void;
  snapshot(step: number): Promise<void>;
  checkpoint(step: number): Promise<void>;
  /**
   * Draws the pictures that are due after a step. Pictures that a stop request leaves out are drawn when training
   * continues there.
   */
  pictures(step: number): Promise<void>;
  stopRequested(): StopReason | undefined;
  checkpointRequested(): boolean;
}

/** `finished` also if only the dynamic form is, and the static one is still to be trained. */
export type LoopEnd = 'finished' | 'early-stopping' | StopReason;

/**
 * Trains until the end of the plan or of its dynamic phase, a stop request, or early stopping. Everything a step does
 * follows from the seed and the step number, so the loop can start at any step, given its state.
 */
export async function trainingLoop(
  task: Task,
  stepper: Stepper,
  micro: MicroBatches,
  plan: Plan,
  state: TrainingState,
  hooks: LoopHooks,
): Promise<LoopEnd> {
  const { training } = task.spec;
  const { trainingSet: dataset } = task;
  const dropout = new DropoutMasks(task, training.seed);
  const scaled = state.lossScale ? withLossScale(stepper, state.lossScale) : stepper;
  const batchesAt = batchesOf(dataset, training, plan);
  const readAhead = (step: number) => {
    const { epoch, batches } = batchesAt(step);
    task.readAhead(dataset, batches.flat(), { seed: training.seed, epoch });
  };
  /** Everything that is due after a step; the reason if training ends there. */
  const after = async (step: number): Promise<LoopEnd | undefined> => {
    let stop = false;
    if (plan.evaluates(step))
      try {
        stop = await evaluate(task, stepper, micro, plan, state, hooks);
        delete state.unevaluated;
      } catch (e) {
        if (!(e instanceof Stopped)) throw e;
        state.unevaluated = true;
        await hooks.checkpoint(step);
        return e.reason;
      }
    if (plan.snapshots(step)) await hooks.snapshot(step);
    if (plan.checkpoints(step) || hooks.checkpointRequested()) await hooks.checkpoint(step);
    await hooks.pictures(step);
    if (stop && step < plan.totalSteps) return 'early-stopping';
    const reason = hooks.stopRequested();
    if (!reason || step === plan.totalSteps) return undefined;
    if (!plan.checkpoints(step)) await hooks.checkpoint(step);
    return reason;
  };
  state.course?.begin?.(state.parameters);
  if (state.unevaluated) {
    const end = await after(state.step);
    if (end) return end;
  } else if (state.step > 0) await hooks.pictures(state.step);
  const until = state.step < plan.staticFrom ? plan.staticFrom : plan.totalSteps;
  while (state.step < until) {
    const began = performance.now();
    const { epoch, batches } = batchesAt(state.step);
    readAhead(state.step);
    if (state.step + 1 < until) readAhead(state.step + 1);
    const factor = scheduleFactor(training.schedule, state.step, plan.warmupSteps, plan.totalSteps);
    const place = { step: state.step, epoch };
    const result = await gradientStep(scaled, task, micro, batches, state.parameters, dropout, place);
    const step = state.step + 1;
    const gradientNorm = update(step, result, factor, task, state, hooks);
    state.step = step;
    hooks.stepped({
      step,
      loss: result.loss,
      learningRate: training.learningRate * factor,
      gradientNorm,
      examples: result.examples,
      tokens: result.tokens,
      seconds: (performance.now() - began) / 1000,
    });
    if (step === 1) await hooks.begun();
    const end = await after(step);
    if (end) return end;
  }
  return 'finished';
}

/** The batches of each step. Two epochs are kept: the next step's images are read ahead. */
function batchesOf(dataset: Dataset, training: TrainingSpec, plan: Plan) {
  const orders = new Map<number, number[][]>();
  return (step: number): { epoch: number; batches: number[][] } => {
    const epoch = Math.floor(step / plan.stepsPerEpoch);
    const order = orders.get(epoch) ?? epochOrder(dataset, { ...training, epoch });
    orders.delete(epoch - 2);
    orders.set(epoch, order);
    const first = (step % plan.stepsPerEpoch) * training.gradientAccumulation;
    return { epoch, batches: order.slice(first, first + training.gradientAccumulation) };
  };
}

/** @returns the norm of the gradients before clipping, NaN where they overflowed float16 and nothing was updated */
function update(
  step: number,
  { loss, gradients }: GradientStep,
  factor: number,
  task: Task,
  state: TrainingState,
  hooks: LoopHooks,
): number {
  if (state.lossScale) {
    requireFiniteLoss(step, loss);
    if (!hasFiniteValues(gradients)) {
      state.lossScale.skip(step);
      hooks.skipped(step, state.lossScale);
      return NaN;
    }
    state.lossScale.good();
  } else requireFinite(step, loss, gradients);
  const norm = clipByGlobalNorm(gradients, task.spec.training.maxGradientNorm);
  const ranks = optimize(step, gradients, factor, state);
  if (ranks) hooks.allocated(step, ranks);
  return norm;
}

/**
 * The optimizer's step, with what the method does before and after it.
 *
 * @param step counts from 1
 * @param gradients after clipping
 * @param factor of the schedule, on the learning rate
 */
export function optimize(
  step: number,
  gradients: ReadonlyMap<string, Float32Array>,
  factor: number,
  { parameters, optimizer, course }: Pick<TrainingState, 'parameters' | 'optimizer' | 'course'>,
): RanksKept | undefined {
  course?.project?.(parameters, gradients);
  optimizer.step(parameters, gradients, factor);
  return course?.stepped?.(step, parameters, gradients);
}

/**
 * @returns true if early stopping requires it
 * @throws AuroraError 'diverged' if the evaluation is not finite: nothing that could be saved is useful
 */
async function evaluate(
  task: Task,
  stepper: Stepper,
  micro: MicroBatches,
  plan: Plan,
  state: TrainingState,
  hooks: LoopHooks,
): Promise<boolean> {
  const { training } = task.spec;
  const began = performance.now();
  const { dataset } = task.data.validation;
  const { parameters } = state;
  const { seen, writing } = hooks;
  const judged = hooks.judge(await evaluateDataset(stepper, task, micro, dataset, parameters, seen, writing));
  const { step } = state;
  const epoch = step / plan.stepsPerEpoch;
  const seconds = (performance.now() - began) / 1000;
  if ('diverged' in judged) {
    const { diverged: reason, metrics } = judged;
    state.last = 'diverged';
    hooks.diverged({ step, epoch, reason, seconds, metrics });
    if (reason === 'non-finite') throw divergedEvaluation(step);
    return state.stopping.update('diverged').stop;
  }
  const { metrics } = judged;
  const { best, stop } = state.stopping.update(metricValue(metrics, training.metric));
  state.last = metrics;
  if (best) state.best = { step, metrics };
  await hooks.evaluated(step, epoch, metrics, best, seconds);
  return stop;
}
