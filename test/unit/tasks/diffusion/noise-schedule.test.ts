import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readNoiseSchedule } from '../../../../src/tasks/diffusion/noise-schedule';
import { SD15, SD21, SDXL, scheduleOf } from './configs';

/** ᾱ from the published definition, without the code that is tested. */
function published(beta: (i: number) => number, steps: number): number[] {
  const all: number[] = [];
  for (let i = 0, product = 1; i < steps; i++) all.push((product *= 1 - beta(i)));
  return all;
}

const expectEqual = (found: Float64Array, expected: readonly number[]) => {
  expect(found).toHaveLength(expected.length);
  found.forEach((a, t) => expect(Math.abs(a - expected[t]!), `ᾱ of ${t}`).toBeLessThan(1e-14));
};

describe('ᾱ of a scheduler', () => {
  it.each([
    ['SD 1.5', SD15],
    ['SD 2.1', SD21],
    ['SDXL', SDXL],
  ])('of %s has √β evenly spaced', (_, config) => {
    const { alphasCumprod } = scheduleOf(config);
    const root = (i: number) => Math.sqrt(0.00085) + (i / 999) * (Math.sqrt(0.012) - Math.sqrt(0.00085));
    expectEqual(
      alphasCumprod,
      published((i) => root(i) ** 2, 1000),
    );
    // As printed by diffusers: DDPMScheduler.alphas_cumprod[[0, 500, 999]], and the noise levels of k-diffusion's models.
    expect(alphasCumprod[0]).toBeCloseTo(0.99915, 6);
    expect(alphasCumprod[999]).toBeCloseTo(0.00466, 5);
    const sigma = (t: number) => Math.sqrt((1 - alphasCumprod[t]!) / alphasCumprod[t]!);
    expect(sigma(0)).toBeCloseTo(0.0292, 4);
    expect(sigma(999)).toBeCloseTo(14.6146, 4);
  });

  it('has β evenly spaced by default, as in Ho et al. (2020)', () => {
    const { alphasCumprod, predictionType } = scheduleOf({});
    expect(predictionType).toBe('epsilon');
    expectEqual(
      alphasCumprod,
      published((i) => 1e-4 + (i / 999) * (0.02 - 1e-4), 1000),
    );
  });

  it('follows a squared cosine, as in Nichol and Dhariwal (2021), equation 17', () => {
    const steps = 50;
    const f = (t: number) => Math.cos(((t / steps + 0.008) / 1.008) * (Math.PI / 2)) ** 2;
    const { alphasCumprod } = scheduleOf({ beta_schedule: 'squaredcos_cap_v2', num_train_timesteps: steps });
    expectEqual(
      alphasCumprod,
      published((i) => Math.min(0.999, 1 - f(i + 1) / f(i)), steps),
    );
    expect(alphasCumprod[24]! / (f(25) / f(0))).toBeCloseTo(1, 12);
  });

  it('takes the list of trained_betas instead', () => {
    const betas = [0.1, 0.2, 0.5];
    expectEqual(scheduleOf({ ...SD15, trained_betas: betas }).alphasCumprod, [0.9, 0.72, 0.36]);
  });

  it('ends at 0 with rescale_betas_zero_snr and keeps its start (Lin et al., algorithm 1)', () => {
    const plain = scheduleOf(SD21).alphasCumprod;
    const { alphasCumprod } = scheduleOf({ ...SD21, rescale_betas_zero_snr: true });
    expect(alphasCumprod[999]).toBe(0);
    expect(alphasCumprod[0]).toBeCloseTo(plain[0]!, 14);
    const [first, last] = [Math.sqrt(plain[0]!), Math.sqrt(plain[999]!)];
    // The paper's way through β.
    const bar = [...plain].map((a) => ((Math.sqrt(a) - last) * first) / (first - last)).map((r) => r * r);
    const betas = bar.map((a, t) => (t === 0 ? 1 - a : 1 - a / bar[t - 1]!));
    expectEqual(
      alphasCumprod,
      published((i) => betas[i]!, 1000),
    );
  });
});

describe('a scheduler that is not supported', () => {
  it.each([
    [{ _class_name: 'FlowMatchEulerDiscreteScheduler' }, /_class_name is "FlowMatchEulerDiscreteScheduler"/],
    [{ prediction_type: 'sample' }, /prediction_type is "sample", which is not supported/],
    [{ beta_schedule: 'sigmoid' }, /beta_schedule is "sigmoid", which is not supported/],
    [{ num_train_timesteps: 1.5 }, /num_train_timesteps is 1.5, not an integer/],
    [{ beta_end: 'large' }, /beta_end is "large", not a number/],
    [{ beta_start: -0.1 }, /not all between 0 and 1/],
    [{ trained_betas: [0.1, 'x'] }, /trained_betas is \[0.1,"x"\], not a list of numbers/],
    [{ rescale_betas_zero_snr: true }, /noise cannot be predicted/],
  ])('is refused: %o', (values, message) => {
    expect(() => scheduleOf({ ...SD15, ...values })).toThrow(message);
  });

  it('is refused where the file is missing or damaged', () => {
    const path = join(mkdtempSync(join(tmpdir(), 'aurora-')), 'scheduler_config.json');
    expect(() => readNoiseSchedule(path)).toThrow(/cannot be read/);
    writeFileSync(path, '{"beta_start": ');
    expect(() => readNoiseSchedule(path)).toThrow(/is not valid JSON/);
    writeFileSync(path, '[]');
    expect(() => readNoiseSchedule(path)).toThrow(/is not a JSON object/);
    writeFileSync(path, JSON.stringify(SDXL));
    expect(readNoiseSchedule(path).alphasCumprod).toHaveLength(1000);
  });
});
