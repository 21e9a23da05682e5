import { join } from 'node:path';
import { type Dataset, sizeOf } from '../../data/dataset';
import { evaluationOrder, firstExamples } from '../../data/row-order';
import type { Stepper } from '../../engine/stepper';
import type { PicturesSpec } from '../../experiment/pictures';
import { elementCount } from '../../graph/model';
import type { PreflightEstimate } from '../../protocol/preflight';
import { initialState } from '../checkpoint/state';
import { deviceFields } from '../device/choose';
import { type OpenedOn, settle } from '../device/open-on-device';
import { withFrozenPrefix } from '../frozen/reuse';
import { checkPacking, tryLongest } from '../loop/check-packing';
import { evaluateDataset } from '../loop/evaluate';
import { gradientStep } from '../loop/gradient-step';
import { optimize, type TrainingState } from '../loop/loop';
import {
  evaluatedTokens,
  median,
  paddedTokens,
  type Sample,
  sampleSteps,
  type Step,
  subset,
  sum,
} from '../loop/sample';
import { makePlan, type Plan, scheduleFactor } from '../loop/training-plan';
import { withoutWriting } from '../measure';
import { longestBatch, lookAhead } from '../micro-batch/look-ahead';
import { MicroBatches } from '../micro-batch/micro-batches';
import { DropoutMasks } from '../optimizer/dropout';
import { requireFinite } from '../optimizer/finite';
import { clipByGlobalNorm } from '../optimizer/optimizer';
import { SNAPSHOT_EXAMPLES } from '../snapshot-recorder';
import type { Task } from '../task/task';
import { writingCost } from './measure-writing';
import type { PreflightOptions } from './preflight';

/**
 * Trains a few real steps of the first epoch, reports each, and estimates the cost of the whole run.
 *
 * @param sets that the best adapter is scored on at its end
 */
export async function measure(
  task: Task,
  sets: readonly Dataset[],
  options: PreflightOptions,
): Promise<PreflightEstimate> {
  const { training } = task.spec;
  const whole = { train: task.trainingSet, validation: task.data.validation.dataset };
  const plan = makePlan(training, whole.train.examples.length);
  const sample = sampleSteps(whole.train, training, Math.min(options.steps, plan.totalSteps));
  const batches = evaluationOrder(whole.validation, training.batchSize);
  // The longest, which comes first, and one from the middle.
  const evaluated = [batches[0], batches[batches.length >> 1]];

  const train = subset(whole.train, [[sample.longest], ...sample.steps]);
  const validation = subset(whole.validation, [evaluated]);
  const small = withData(task, train.dataset, validation.dataset);
  const cuts: string[] = [];
  const cut = (message: string) => void cuts.push(message);
  const { threads } = options;
  const [folder, keep] = ['features', 'frozen'].map((name) => join(options.folder, name));
  const reuse = await withFrozenPrefix(small, { folder, keep, threads, warn: cut });
  const { task: prepared, seconds: featureSeconds } = reuse;
  const { stepper, trainable, choice } = await open(task, prepared, prepared !== small, options);
  try {
    const state = initialState(prepared, trainable, plan.totalSteps);
    const micro = new MicroBatches(prepared, stepper, choice.place, cut);
    await tryLongest(stepper, prepared, micro, state.parameters);
    await lookAhead(prepared, stepper, micro, state.parameters);
    await checkPacking(prepared, stepper, micro);
    const preparation = performance.now() / 1000 - featureSeconds;
    const [warmUp, ...steps] = train.groups;
    const seconds = await trainSteps(prepared, stepper, micro, state, [warmUp, ...steps], plan, options.emit);
    const evaluationRate = await timeEvaluation(prepared, stepper, micro, state);
    const answers = plannedAnswers(whole.validation, sets, plan);
    const writing = await writingCost(prepared, stepper, micro, state.parameters, answers);

    for (const message of cuts)
      await options.emit({ kind: 'problem', severity: 'warning', message, key: 'training.microBatchSize' });

    const trainingSeconds = secondsOfSteps(seconds, sample, whole.train, plan);
    const all = Array.from({ length: plan.totalSteps }, (_, i) => i + 1);
    const evaluations = all.filter((step) => plan.evaluates(step)).length;
    const snapshots = task.adapters.length ? 1 + all.filter((step) => plan.snapshots(step)).length : 0;
    const seen = firstExamples(whole.validation, SNAPSHOT_EXAMPLES);
    const evaluationTokens = evaluations * paddedTokens(whole.validation, batches);
    const snapshotTokens = snapshots * paddedTokens(whole.validation, [seen]);
    const { batchSize } = training;
    const scoredTokens = evaluatedTokens(sets, batchSize);
    const pictureTokens = picturePredictions(training.pictures, plan.totalSteps);
    // A set is scored once, by the whole model: its features are computed for it, as for the data of training.
    const featureTokens = evaluatedTokens([whole.train, whole.validation], batchSize) + scoredTokens;
    const sampleTokens = evaluatedTokens([train.dataset, validation.dataset], batchSize);
    const other =
      preparation +
      (featureSeconds / sampleTokens) * featureTokens +
      evaluationRate * (evaluationTokens + snapshotTokens + scoredTokens + pictureTokens) +
      (writing?.seconds ?? 0);
    return {
      kind: 'estimate',
      secondsPerStep: median(seconds),
      steps: plan.totalSteps,
      evaluations,
      minutes: (trainingSeconds + other) / 60,
      otherMinutes: other / 60,
      memoryBytes: process.resourceUsage().maxRSS * 1024,
      ...atOnce(prepared, micro),
      ...(writing && {
        writing: { answers, tokens: writing.tokens, minutes: writing.seconds / 60 },
      }),
      trainable: sum(trainable.map((t) => elementCount(t.dims))),
    };
  } finally {
    await stepper.dispose();
  }
}

/** The examples of all evaluations, and of the sets that are scored at the end. */
const plannedAnswers = (validation: Dataset, sets: readonly Dataset[], plan: Plan): number =>
  Array.from({ length: plan.totalSteps }, (_, i) => i + 1).filter(plan.evaluates).length *
    validation.examples.length +
  sum(sets.map(({ examples }) => examples.length));

/** Rows that the model predicts to draw all pictures, with the adapter and without; a row is as long as an example. */
function picturePredictions(pictures: PicturesSpec | undefined, totalSteps: number): number {
  if (!pictures) return 0;
  const { prompts, every, steps, guidance } = pictures;
  const times = 1 + Math.ceil(totalSteps / every);
  return times * prompts.length * steps * (guidance > 1 ? 2 : 1);
}

/** The number of the longest texts that run at once, if less than a whole batch. */
function atOnce(task: Task, micro: MicroBatches): Pick<PreflightEstimate, 'microBatch'> {
  const batch = longestBatch(task);
  const length = sizeOf(task.trainingSet, batch[0]);
  const examples = micro.size('step', length);
  return examples < batch.length ? { microBatch: { examples, of: batch.length, length } } : {};
}

/** On the device that the run would use; measuring to find it also counts as the run's preparation. */
async function open(
  task: Task,
  prepared: Task,
  onFeatures: boolean,
  options: PreflightOptions,
): Promise<OpenedOn> {
  const { emit, threads, program } = options;
  const warnings: string[] = [];
  const opened = await settle(task, prepared, {
    request: options.device,
    onFeatures,
    measuring: (places) => emit({ kind: 'measuring', places: [...places] }),
    stopped: () => false,
    warn: (message) => warnings.push(message),
    threads,
    folder: join(options.folder, 'graph'),
    program,
  });
  for (const message of warnings) await emit({ kind: 'problem', severity: 'warning', message });
  await emit({ kind: 'device', ...deviceFields(opened!.choice) });
  return opened!;
}

const withData = (task: Task, train: Dataset, validation: Dataset): Task => ({
  ...task,
  trainingSet: train,
  data: {
    ...task.data,
    // Texts that are packed stay as they are.
    train: task.graph.documents ? task.data.train : { ...task.data.train, dataset: train },
    validation: { ...task.data.validation, dataset: validation },
  },
});

/**
 * The seconds of all steps of a plan.
 *
 * @param seconds of the sample's steps
 * @param dataset that the sample was taken from
 */
export function secondsOfSteps(
  seconds: readonly number[],
  sample: Sample,
  dataset: Dataset,
  { totalSteps, stepsPerEpoch }: Pick<Plan, 'totalSteps' | 'stepsPerEpoch'>,
): number {
  const measuredTokens = sum(sample.steps.map((step) => paddedTokens(dataset, step)));
  return (sum(seconds) / measuredTokens) * sample.epochTokens * (totalSteps / stepsPerEpoch);
}

/**
 * Trains a few steps, which changes `state`.
 *
 * @returns seconds of each step except the first, which is the warm-up
 */
export async function trainSteps(
  task: Task,
  stepper: Stepper,
  micro: MicroBatches,
  state: TrainingState,
  steps: readonly Step[],
  plan: Pick<Plan, 'warmupSteps' | 'totalSteps'>,
  emit?: PreflightOptions['emit'],
): Promise<number[]> {
  const { training } = task.spec;
  const dropout = new DropoutMasks(task, training.seed);
  const measured: number[] = [];
  for (const [i, step] of steps.entries()) {
    const began = performance.now();
    const r = await gradientStep(stepper, task, micro, step, state.parameters, dropout, {
      step: i,
      epoch: 0,
    });
    requireFinite(i, r.loss, r.gradients);
    clipByGlobalNorm(r.gradients, training.maxGradientNorm);
    const factor = scheduleFactor(training.schedule, i, plan.warmupSteps, plan.totalSteps);
    optimize(i + 1, r.gradients, factor, state);
    const seconds = (performance.now() - began) / 1000;
    if (i > 0) measured.push(seconds);
    await emit?.({
      kind: 'step',
      step: i,
      of: steps.length - 1,
      loss: r.loss,
      seconds,
      examples: r.examples,
      tokens: r.tokens,
      memoryBytes: process.memoryUsage.rss(),
    });
  }
  return measured;
}

/**
 * Evaluates the validation data without written answers, which may mean several runs of the model for an example.
 *
 * @returns seconds per padded token of the examples
 */
async function timeEvaluation(
  task: Task,
  stepper: Stepper,
  micro: MicroBatches,
  { parameters }: TrainingState,
): Promise<number> {
  const { dataset } = task.data.validation;
  const began = performance.now();
  await evaluateDataset(stepper, withoutWriting(task), micro, dataset, parameters);
  const seconds = (performance.now() - began) / 1000;
  return seconds / paddedTokens(dataset, evaluationOrder(dataset, task.spec.training.batchSize));
}
