import { AuroraError } from '../../base/errors';
import type { Stepper } from '../../engine/stepper';

/** The state stored in checkpoints. */
export interface LossScaleState {
  scale: number;
  /** Steps since the scale last changed. */
  goodSteps: number;
  /** Steps in the whole run whose gradients were discarded. */
  skipped: number;
}

const INITIAL = 2 ** 16;
const GROWTH_INTERVAL = 2000;

/**
 * The factor on the loss that keeps small gradients above float16's smallest number. It starts at 2^16. A step with a
 * gradient that is not finite halves it, and its update is skipped; 2,000 steps in a row without one double it:
 * PyTorch's torch.amp.GradScaler with its defaults, after Micikevicius et al., "Mixed Precision Training" (2018). It is
 * a power of two, so that scaling itself rounds nothing.
 */
export class LossScale {
  private now: LossScaleState = { scale: INITIAL, goodSteps: 0, skipped: 0 };

  get value(): number {
    return this.now.scale;
  }

  get skipped(): number {
    return this.now.skipped;
  }

  /** After a step with finite gradients. */
  good(): void {
    if (++this.now.goodSteps < GROWTH_INTERVAL) return;
    this.now.goodSteps = 0;
    // Above the largest float32, it would itself be infinite.
    this.now.scale = Math.min(2 * this.now.scale, 2 ** 127);
  }

  /**
   * After a step whose update is skipped.
   *
   * @throws AuroraError 'diverged' once the scale is below 1: then the numbers themselves do not fit
   */
  skip(step: number): void {
    this.now = { scale: this.now.scale / 2, goodSteps: 0, skipped: this.now.skipped + 1 };
    if (this.now.scale < 1)
      throw new AuroraError(
        'diverged',
        `Training in mixed precision diverged at step ${step}: gradients are not finite even with a loss scale of 1.`,
        'Set training.precision to "float32". The last checkpoint is intact.',
      );
  }

  state(): LossScaleState {
    return { ...this.now };
  }

  load(state: LossScaleState): void {
    this.now = { ...state };
  }
}

/** The first skipped steps are reported one by one, later ones at 10, 100, 1,000 … of them. */
export function skippedWarning(step: number, { skipped, value }: LossScale): string | undefined {
  if (skipped <= 3)
    return `The gradients of step ${step} overflowed float16: the update was skipped and the loss scale halved to ${value}. A few skipped steps are normal until the scale fits.`;
  return /^10+$/.test(String(skipped))
    ? `${skipped} steps have been skipped so far because their gradients overflowed float16; the loss scale is ${value}.`
    : undefined;
}

/** A stepper that scales the loss for differentiation on the device and returns unscaled gradients. */
export const withLossScale = (stepper: Stepper, lossScale: LossScale): Stepper => ({
  ...stepper,
  async step(inputs, parameters, gradScale) {
    const scale = lossScale.value;
    const result = await stepper.step(inputs, parameters, gradScale * scale);
    for (const gradient of result.gradients.values())
      for (let i = 0; i < gradient.length; i++) gradient[i] /= scale;
    return result;
  },
});
