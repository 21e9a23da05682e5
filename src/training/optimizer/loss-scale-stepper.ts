import type { Stepper } from '../../engine/stepper';
import type { LossScale } from './loss-scale';

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
