import type { AdapterForm } from '../../adapters/methods/method';
import { AuroraError } from '../../base/errors';
import type { TrainingSpec } from '../../experiment/experiment';

/** The number of steps, and those among them that also evaluate, save a checkpoint or record activations. */
export interface Plan {
  stepsPerEpoch: number;
  totalSteps: number;
  /** Passes over the training data, the last of which may be incomplete. */
  epochs: number;
  warmupSteps: number;
  /** Steps after which the static form is trained; equals all steps if it never is. */
  staticFrom: number;
  /** The form last trained after `step` optimizer steps. */
  trainedForm(step: number): AdapterForm;
  /** True if an evaluation is due after `step` optimizer steps. */
  evaluates(step: number): boolean;
  checkpoints(step: number): boolean;
  snapshots(step: number): boolean;
}

/** @param rows of a pass over the training data: examples, or several of them packed together */
export function makePlan(t: TrainingSpec, rows: number): Plan {
  const batches = Math.ceil(rows / t.batchSize);
  const stepsPerEpoch = Math.ceil(batches / t.gradientAccumulation);
  // `maxSteps` acts like max_steps of transformers' TrainingArguments, which overrides num_train_epochs.
  const totalSteps = t.maxSteps ?? t.epochs * stepsPerEpoch;
  const staticFrom = Math.max(0, totalSteps - (t.staticEpochs ?? 0) * stepsPerEpoch);
  const every = t.evaluateEvery === 'epoch' ? stepsPerEpoch : t.evaluateEvery;
  const due = (step: number, n: number) => n > 0 && step % n === 0;
  const evaluates = (step: number) => due(step, every) || step === totalSteps || step === staticFrom;
  return {
    stepsPerEpoch,
    totalSteps,
    epochs: Math.ceil(totalSteps / stepsPerEpoch),
    warmupSteps: warmupStepsOf(t, totalSteps),
    staticFrom,
    trainedForm: (step) => (step > staticFrom || staticFrom === 0 ? 'static' : 'dynamic'),
    evaluates,
    checkpoints: (step) => due(step, t.checkpointEvery) || evaluates(step),
    snapshots: (step) => due(step, t.activationsEvery) || evaluates(step),
  };
}

/** Warm-up steps: `warmupSteps` if given, otherwise the ratio's share of all steps, rounded up. */
export const warmupStepsOf = (
  training: Pick<TrainingSpec, 'warmupRatio' | 'warmupSteps'>,
  totalSteps: number,
): number => training.warmupSteps ?? Math.ceil(totalSteps * training.warmupRatio);

/**
 * The factor on the learning rate at optimizer step `step`, counted from 0 (transformers' get_scheduler:
 * linear, cosine with half a wave, constant_with_warmup). With warm-up, step 0 has factor 0.
 */
export function scheduleFactor(
  schedule: TrainingSpec['schedule'],
  step: number,
  warmupSteps: number,
  totalSteps: number,
): number {
  if (step < warmupSteps) return step / Math.max(1, warmupSteps);
  if (schedule === 'constant') return 1;
  const span = Math.max(1, totalSteps - warmupSteps);
  if (schedule === 'linear') return Math.max(0, (totalSteps - step) / span);
  // Past the last step the wave would rise again.
  return Math.max(0, 0.5 * (1 + Math.cos(Math.PI * Math.min(1, (step - warmupSteps) / span))));
}

/** The point where a sweep's trial pauses: a number of epochs or optimizer steps from its start. */
export interface PausePoint {
  unit: 'epoch' | 'step';
  value: number;
}

/** "epoch:1.5" or "step:40". */
export function parsePausePoint(text: string | undefined): PausePoint | undefined {
  if (text === undefined) return undefined;
  const [, unit, value] = /^(epoch|step):(\d+(?:\.\d+)?)$/.exec(text) ?? [];
  if (unit === undefined)
    throw new AuroraError('usage', `--pause-at takes epoch:NUMBER or step:NUMBER, not "${text}".`);
  return { unit: unit as PausePoint['unit'], value: Number(value) };
}

/** True if a run pauses after `step` optimizer steps: at an evaluation, since evaluations are compared. */
export const pauses = (plan: Plan, step: number, at: PausePoint | undefined): boolean =>
  at !== undefined &&
  plan.evaluates(step) &&
  (at.unit === 'step' ? step : step / plan.stepsPerEpoch) >= at.value;
