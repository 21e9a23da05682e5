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

const diverged = (step: number, what: string, loss: number): AuroraError =>
  new AuroraError(
    'diverged',
    `Training diverged at step ${step}: ${what} (loss ${loss}).`,
    'Lower training.learningRate, lengthen the warm-up, or clip harder (training.maxGradientNorm). The last checkpoint is whole.',
  );
