import type { AdapterForm } from '../../adapters/methods/method';
import type { TrainingSpec } from '../../experiment/experiment';
import { warmupStepsOf } from './schedule';

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
