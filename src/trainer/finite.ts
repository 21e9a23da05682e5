import { AuroraError } from '../shared/errors';

/** Stops a run at the first NaN or infinity, naming the step and the tensor. */
export function requireFinite(
  step: number,
  loss: number,
  gradients: ReadonlyMap<string, Float32Array>,
): void {
  for (const [name, values] of gradients) {
    const at = values.findIndex((v) => !Number.isFinite(v));
    if (at >= 0) throw diverged(step, `the gradient of ${name} is ${values[at]} at position ${at}`, loss);
  }
  if (!Number.isFinite(loss)) throw diverged(step, `the loss is ${loss}`, loss);
}

export const hasFiniteGradients = (gradients: ReadonlyMap<string, Float32Array>): boolean =>
  [...gradients.values()].every((values) => values.every(Number.isFinite));

/** Of a step in mixed precision: no loss scale helps where the forward pass overflows. */
export function requireFiniteLoss(step: number, loss: number): void {
  if (Number.isFinite(loss)) return;
  throw new AuroraError(
    'diverged',
    `Training in mixed precision diverged at step ${step}: the loss is ${loss}. An activation may have exceeded float16's 65,504.`,
    'Set training.precision to "float32". The last checkpoint is whole.',
  );
}

const diverged = (step: number, what: string, loss: number): AuroraError =>
  new AuroraError(
    'diverged',
    `Training diverged at step ${step}: ${what} (loss ${loss}).`,
    'Lower training.learningRate, lengthen the warm-up, or clip harder (training.maxGradientNorm). The last checkpoint is whole.',
  );
