import { AuroraError } from '../../base/errors';

/** Something is NaN or infinite: the loss, a gradient or a parameter. */
export class NotFinite extends AuroraError {
  /**
   * @param step after which it was found, or in which
   * @param what the quantity, for a sentence
   */
  constructor(
    readonly step: number,
    readonly what: string,
    message: string,
    hint: string,
  ) {
    super('diverged', message, hint);
  }
}

/** Stops a run at the first NaN or infinity, naming the step and the tensor. */
export function requireFinite(
  step: number,
  loss: number,
  gradients: ReadonlyMap<string, Float32Array>,
): void {
  const found = firstNonFinite(gradients);
  if (found)
    throw diverged(
      step,
      `the gradient of ${found.name} is ${found.value} at position ${found.at} (loss ${loss})`,
    );
  if (!Number.isFinite(loss)) throw diverged(step, `the loss is ${loss}`);
}

export const hasFiniteValues = (tensors: ReadonlyMap<string, Float32Array>): boolean =>
  firstNonFinite(tensors) === undefined;

/** Before anything is saved: an update may overflow even if its gradient did not. */
export function requireFiniteParameters(step: number, parameters: ReadonlyMap<string, Float32Array>): void {
  const found = firstNonFinite(parameters);
  if (found) throw diverged(step, `${found.name} is ${found.value} at position ${found.at}`);
}

/** An evaluation with a value that is not finite. */
export const divergedEvaluation = (step: number): AuroraError =>
  diverged(step, 'the loss or a logit of the validation data is not finite');

/** A run that was trained to its end but exploded on the way (divergence.ts). */
export const divergedAtEnd = (step: number): AuroraError =>
  new AuroraError(
    'diverged',
    words(
      step,
      'the validation loss is far above that of random guessing, and the training loss is above it too',
    ),
    `${ADVICE} Checkpoints from before its evaluations diverged are intact.`,
  );

function firstNonFinite(
  tensors: ReadonlyMap<string, Float32Array>,
): { name: string; at: number; value: number } | undefined {
  for (const [name, values] of tensors) {
    const at = values.findIndex((v) => !Number.isFinite(v));
    if (at >= 0) return { name, at, value: values[at] };
  }
  return undefined;
}

/** For a mixed-precision step: no loss scale helps if the forward pass overflows. */
export function requireFiniteLoss(step: number, loss: number): void {
  if (Number.isFinite(loss)) return;
  throw new NotFinite(
    step,
    `the loss is ${loss}`,
    `Training in mixed precision diverged at step ${step}: the loss is ${loss}. An activation may have exceeded float16's 65,504.`,
    'Set training.precision to "float32". The last checkpoint is intact.',
  );
}

const ADVICE = 'Lower training.learningRate, lengthen the warm-up, or lower training.maxGradientNorm.';

const words = (step: number, what: string): string => `Training diverged at step ${step}: ${what}.`;

const diverged = (step: number, what: string): AuroraError =>
  new NotFinite(step, what, words(step, what), `${ADVICE} The last checkpoint is intact.`);
