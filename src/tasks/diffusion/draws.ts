import { normal, Stream, uniform } from '../../base/random';

/**
 * The keys of the random numbers of one row of a batch. Each number depends on the keys alone, so that a resumed run
 * repeats it and nothing that samples pictures can change it.
 */
export interface DrawKeys {
  seed: number;
  /** 0 for evaluations, 1 plus the epoch for training. */
  pass: number;
  /** The number of the row: by convention 2 × example, plus 1 for the class image that goes with it. */
  row: number;
}

/** Standard normal noise ε for the latents. */
export const drawNoise = ({ seed, pass, row }: DrawKeys, count: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => normal(seed, Stream.noise, pass, row, i));

/**
 * Noise plus an offset for each channel: strength × a standard normal number
 * (https://www.crosslabs.org/blog/diffusion-with-offset-noise).
 */
export function drawOffsetNoise(
  keys: DrawKeys,
  channels: number,
  perChannel: number,
  strength: number,
): Float32Array {
  const noise = drawNoise(keys, channels * perChannel);
  if (strength === 0) return noise;
  const offsets = Array.from({ length: channels }, (_, c) =>
    normal(keys.seed, Stream.noiseOffset, keys.pass, keys.row, c),
  );
  return noise.map((x, i) => x + strength * offsets[Math.floor(i / perChannel)]!);
}

/** A timestep, each equally likely. */
export const drawTimestep = ({ seed, pass, row }: DrawKeys, training: number): number =>
  Math.floor(uniform(seed, Stream.timesteps, pass, row) * training);

/** The index, below `count`, of the class image that goes with an example. */
export const drawClassImage = ({ seed, pass, row }: DrawKeys, count: number): number =>
  Math.floor(uniform(seed, Stream.classImages, pass, row) * count);

/** Bounds of the log-variance, as AutoencoderKL clamps it. */
const LOG_VARIANCE = [-30, 20] as const;

/**
 * Latents drawn from the distribution that the encoder gives an image: mean + exp(log-variance / 2)·n.
 *
 * @param parameters latent_parameters of one image: the means of all positions, then the log-variances
 */
export function samplePosterior(
  { seed, pass, row }: DrawKeys,
  parameters: ArrayLike<number>,
  scalingFactor: number,
  shiftFactor = 0,
): Float32Array {
  const count = parameters.length / 2;
  return Float32Array.from({ length: count }, (_, i) => {
    const logVariance = Math.min(Math.max(parameters[count + i]!, LOG_VARIANCE[0]), LOG_VARIANCE[1]);
    const z = parameters[i]! + Math.exp(logVariance / 2) * normal(seed, Stream.posterior, pass, row, i);
    return (z - shiftFactor) * scalingFactor;
  });
}

/** The noise that a picture starts from. */
export const drawPictureNoise = (seed: number, count: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => normal(seed, Stream.pictures, i));
