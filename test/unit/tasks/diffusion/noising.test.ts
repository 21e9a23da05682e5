import { describe, expect, it } from 'vitest';
import {
  drawClassImage,
  drawNoise,
  drawOffsetNoise,
  drawTimestep,
  samplePosterior,
} from '../../../../src/tasks/diffusion/draws';
import { addNoise, minSnrWeight, target, velocity } from '../../../../src/tasks/diffusion/noise-schedule';
import { SD15, SD21, scheduleOf } from './configs';

const sample = [0.5, -1.25, 2];
const noise = [1, -0.5, 0.25];

const expectClose = (found: ArrayLike<number>, expected: readonly number[]) => {
  expect(found).toHaveLength(expected.length);
  Array.from(found).forEach((x, i) => expect(x).toBeCloseTo(expected[i]!, 6));
};

describe('training targets', () => {
  const epsilon = scheduleOf(SD15);
  const v = scheduleOf(SD21);

  it.each([0, 1, 250, 999])('are those of the papers at timestep %i', (t) => {
    // ᾱ computed here: the product of 1 − β, with √β evenly spaced.
    let alpha = 1;
    for (let i = 0; i <= t; i++)
      alpha *= 1 - (Math.sqrt(0.00085) + (i / 999) * (Math.sqrt(0.012) - Math.sqrt(0.00085))) ** 2;
    const noisy = sample.map((x, i) => Math.sqrt(alpha) * x + Math.sqrt(1 - alpha) * noise[i]!);
    expectClose(addNoise(epsilon, sample, noise, t), noisy);
    const expected = sample.map((x, i) => Math.sqrt(alpha) * noise[i]! - Math.sqrt(1 - alpha) * x);
    expectClose(velocity(v, sample, noise, t), expected);
    expectClose(target(epsilon, sample, noise, t), noise);
    expectClose(target(v, sample, noise, t), expected);
    // Both determine the picture: x₀ = √ᾱ·xₜ − √(1 − ᾱ)·v.
    expectClose(
      expected.map((value, i) => Math.sqrt(alpha) * noisy[i]! - Math.sqrt(1 - alpha) * value),
      sample,
    );
    const snr = alpha / (1 - alpha);
    expect(minSnrWeight(epsilon, t, 5)).toBeCloseTo(Math.min(1, 5 / snr), 12);
    expect(minSnrWeight(v, t, 5)).toBeCloseTo(Math.min(snr, 5) / (snr + 1), 12);
  });

  it('have a weight where nothing is left of the picture', () => {
    const zero = scheduleOf({ ...SD21, rescale_betas_zero_snr: true });
    expect(minSnrWeight(zero, 999, 5)).toBe(0);
    expectClose(addNoise(zero, sample, noise, 999), noise);
    expectClose(target(zero, sample, noise, 999), [-0.5, 1.25, -2]);
  });
});

describe('what is drawn for a row', () => {
  const keys = { seed: 7, pass: 3, row: 4 };

  it('depends on seed, pass and row alone', () => {
    expect(drawNoise(keys, 16)).toEqual(drawNoise({ ...keys }, 16));
    expect(drawNoise(keys, 32).subarray(0, 16)).toEqual(drawNoise(keys, 16));
    for (const other of [{ seed: 8 }, { pass: 2 }, { row: 5 }])
      expect(drawNoise({ ...keys, ...other }, 16)).not.toEqual(drawNoise(keys, 16));
  });

  it('is standard normal noise, and as much of each timestep', () => {
    const values = drawNoise(keys, 40_000);
    const mean = values.reduce((a, b) => a + b) / values.length;
    const variance = values.reduce((sum, x) => sum + x * x, 0) / values.length;
    expect(Math.abs(mean)).toBeLessThan(0.02);
    expect(Math.abs(variance - 1)).toBeLessThan(0.03);
    const timesteps = Array.from({ length: 4000 }, (_, row) => drawTimestep({ ...keys, row }, 1000));
    expect(Math.min(...timesteps)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...timesteps)).toBeLessThan(1000);
    for (const quarter of [0, 250, 500, 750]) {
      const count = timesteps.filter((t) => t >= quarter && t < quarter + 250).length;
      expect(Math.abs(count - 1000)).toBeLessThan(120);
    }
    expect(new Set(Array.from({ length: 100 }, (_, row) => drawClassImage({ ...keys, row }, 3)))).toEqual(
      new Set([0, 1, 2]),
    );
  });

  it('has an offset for each channel', () => {
    const plain = drawNoise(keys, 8);
    expect(drawOffsetNoise(keys, 2, 4, 0)).toEqual(plain);
    const moved = drawOffsetNoise(keys, 2, 4, 0.1).map((x, i) => x - plain[i]!);
    expectClose(moved.subarray(1, 4), [moved[0]!, moved[0]!, moved[0]!]);
    expectClose(moved.subarray(5), [moved[4]!, moved[4]!, moved[4]!]);
    expect(Math.abs(moved[0]! - moved[4]!)).toBeGreaterThan(1e-3);
  });

  it('comes from the distribution of an image, scaled', () => {
    // Without variance, the mean; the log-variance is limited to 20.
    expectClose(samplePosterior(keys, [1, -2, -100, -100], 0.5), [0.5, -1]);
    expect(samplePosterior(keys, [0, 0, 1e9, 1e9], 1)).toEqual(samplePosterior(keys, [0, 0, 20, 20], 1));
    const wide = samplePosterior(
      keys,
      [...new Array(20_000).fill(3), ...new Array(20_000).fill(Math.log(4))],
      0.5,
    );
    const mean = wide.reduce((a, b) => a + b) / wide.length;
    const deviation = Math.sqrt(wide.reduce((sum, x) => sum + (x - mean) ** 2, 0) / wide.length);
    expect(mean).toBeCloseTo(1.5, 1);
    expect(deviation).toBeCloseTo(1, 1);
  });
});
