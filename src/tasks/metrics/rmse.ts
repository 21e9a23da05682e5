import { ratio } from './ratio';

/**
 * Root of the mean squared difference, in the unit of the values, from 0 (scikit-learn's root_mean_squared_error).
 *
 * @param truth finite numbers
 * @param predicted as many
 * @returns 0 of no values
 */
export function rootMeanSquaredError(truth: ArrayLike<number>, predicted: ArrayLike<number>): number {
  if (truth.length !== predicted.length)
    throw new RangeError(`${truth.length} values cannot be paired with ${predicted.length}.`);
  let sum = 0;
  for (let i = 0; i < truth.length; i++) sum += (truth[i] - predicted[i]) ** 2;
  return Math.sqrt(ratio(sum, truth.length));
}
