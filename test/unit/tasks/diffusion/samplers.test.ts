import { describe, expect, it } from 'vitest';
import { SAMPLERS, type SamplerName } from '../../../../src/experiment/pictures';
import { drawPictureNoise } from '../../../../src/tasks/diffusion/draws';
import type { NoiseSchedule } from '../../../../src/tasks/diffusion/noise-schedule';
import { startSampler } from '../../../../src/tasks/diffusion/sampler';
import { sampleSigmas } from '../../../../src/tasks/diffusion/timesteps';
import { SD15, SD21, SDXL, scheduleOf } from './configs';

/** The data are Gaussian: what the best model predicts is known (Karras et al., 2022, appendix B.6). */
const MEAN = [0.7, -1.2, 0.1, 2];
const DEVIATION = [0.5, 1.5, 0.3, 1];

/** ᾱ in float64, apart from the code that is tested. */
function alphaBar(t: number): number {
  let alpha = 1;
  for (let i = 0; i <= t; i++)
    alpha *= 1 - (Math.sqrt(0.00085) + (i / 999) * (Math.sqrt(0.012) - Math.sqrt(0.00085))) ** 2;
  return alpha;
}

/** E[ε | xₜ] for these data, or E[v | xₜ]. */
function optimal(x: ArrayLike<number>, alpha: number, type: NoiseSchedule['predictionType']): number[] {
  return MEAN.map((mean, i) => {
    const variance = alpha * DEVIATION[i]! ** 2 + 1 - alpha;
    const epsilon = (Math.sqrt(1 - alpha) * (x[i]! - Math.sqrt(alpha) * mean)) / variance;
    const start = (x[i]! - Math.sqrt(1 - alpha) * epsilon) / Math.sqrt(alpha);
    return type === 'epsilon' ? epsilon : Math.sqrt(alpha) * epsilon - Math.sqrt(1 - alpha) * start;
  });
}

/** A whole run: the latents at the end, and the timesteps on the way. */
function draw(name: SamplerName, schedule: NoiseSchedule, steps: number, noise: ArrayLike<number>) {
  const sampler = startSampler(name, schedule, steps, noise);
  const timesteps: number[] = [];
  for (let step = sampler.next(); step; step = sampler.next()) {
    expect(step.index).toBe(timesteps.length);
    timesteps.push(step.timestep);
    // Between two timesteps, σ is interpolated.
    const low = Math.floor(step.timestep);
    const sigma = (t: number) => Math.sqrt(1 / alphaBar(t) - 1);
    const s = sigma(low) + (step.timestep - low) * (sigma(Math.min(low + 1, 999)) - sigma(low));
    sampler.step(optimal(step.input, 1 / (s * s + 1), schedule.predictionType));
  }
  return { latents: [...sampler.latents], timesteps };
}

const CASES = SAMPLERS.flatMap((name) =>
  [SD15, SD21, SDXL].flatMap((config) =>
    ['leading', 'linspace', 'trailing'].map((spacing) => ({
      name,
      spacing,
      type: 'prediction_type' in config ? config.prediction_type : 'epsilon',
      schedule: scheduleOf({ ...config, timestep_spacing: spacing }),
    })),
  ),
);

describe.each(CASES)('$name from $type, $spacing timesteps', ({ name, spacing, schedule }) => {
  it('reaches the distribution of the data', () => {
    // The exact flow keeps the quantile: x₀ = mean + deviation · (x_T − √ᾱ·mean) / √(ᾱ·deviation² + 1 − ᾱ).
    const noise = [0.3, -1, 1.4, -0.2];
    const error = (steps: number) => {
      const { latents } = draw(name, schedule, steps, noise);
      const top = alphaBar(spacing === 'leading' ? (steps - 1) * Math.floor(1000 / steps) + 1 : 999);
      const exact = MEAN.map((mean, i) => {
        const spread = Math.sqrt(top * DEVIATION[i]! ** 2 + 1 - top);
        const from = name === 'euler' && spacing !== 'leading' ? noise[i]! * Math.sqrt(1 - top) : noise[i]!;
        return mean + (DEVIATION[i]! * (from - Math.sqrt(top) * mean)) / spread;
      });
      return Math.max(...latents.map((x, i) => Math.abs(x - exact[i]!)));
    };
    expect(error(200)).toBeLessThan(0.05);
    // First order: four times the steps, a quarter of the error, down to where the last timestep counts.
    expect(error(200)).toBeLessThan(0.6 * error(50));
  });
});

describe('DDIM', () => {
  it('follows equation 12 of Song et al. at each step, for ε and v', () => {
    for (const [config, type] of [
      [SD15, 'epsilon'],
      [SD21, 'v_prediction'],
    ] as const) {
      const noise = drawPictureNoise(3, 4);
      const { latents, timesteps } = draw('ddim', scheduleOf(config), 25, noise);
      // steps_offset is 1 and the spacing is that of DDIMScheduler.
      expect(timesteps).toEqual(Array.from({ length: 25 }, (_, i) => 961 - 40 * i));
      let x: number[] = [...noise];
      for (const t of timesteps) {
        const [a, before] = [alphaBar(t), alphaBar(Math.max(t - 40, 0))];
        const epsilon = optimal(Float32Array.from(x), a, 'epsilon');
        const start = x.map((value, i) => (value - Math.sqrt(1 - a) * epsilon[i]!) / Math.sqrt(a));
        // set_alpha_to_one is false: the last step ends at timestep 0, not before it.
        x = start.map((value, i) => Math.sqrt(before) * value + Math.sqrt(1 - before) * epsilon[i]!);
      }
      expect(type).toBe(scheduleOf(config).predictionType);
      latents.forEach((value, i) => expect(Math.abs(value - x[i]!)).toBeLessThan(3e-6));
    }
  });

  it('ends in the predicted picture with set_alpha_to_one, limited with clip_sample', () => {
    const one = scheduleOf({ ...SD15, set_alpha_to_one: true });
    const sampler = startSampler('ddim', one, 1, [1, 2]);
    const { timestep, input } = sampler.next()!;
    expect(timestep).toBe(1);
    expect([...input]).toEqual([1, 2]);
    sampler.step([0.5, 0.25]);
    const a = alphaBar(1);
    const start = [1 - Math.sqrt(1 - a) * 0.5, 2 - Math.sqrt(1 - a) * 0.25].map((x) => x / Math.sqrt(a));
    sampler.latents.forEach((x, i) => expect(x).toBeCloseTo(start[i]!, 12));
    expect(sampler.next()).toBeUndefined();
    const clipped = startSampler(
      'ddim',
      scheduleOf({ ...SD15, set_alpha_to_one: true, clip_sample: true, clip_sample_range: 1.5 }),
      1,
      [1, 2],
    );
    clipped.step([0.5, 0.25]);
    expect(clipped.latents[1]).toBe(1.5);
  });

  it('starts from pure noise where the schedule ends at 0', () => {
    const zero = scheduleOf({ ...SD21, rescale_betas_zero_snr: true, timestep_spacing: 'trailing' });
    const sampler = startSampler('ddim', zero, 2, [1, -1]);
    expect(sampler.next()!.timestep).toBe(999);
    // v = −x₀ there.
    sampler.step([-0.25, 0.5]);
    const a = zero.alphasCumprod[499]!;
    expect(sampler.latents[0]).toBeCloseTo(Math.sqrt(a) * 0.25 + Math.sqrt(1 - a), 12);
    expect(sampler.latents[1]).toBeCloseTo(Math.sqrt(a) * -0.5 - Math.sqrt(1 - a), 12);
  });
});

describe('Euler', () => {
  it('follows dx/dσ = (x − x₀) / σ at each step, with the noise levels of SDXL', () => {
    const noise = drawPictureNoise(3, 4);
    const { latents, timesteps } = draw('euler', scheduleOf(SDXL), 30, noise);
    expect(timesteps).toEqual(Array.from({ length: 30 }, (_, i) => 958 - 33 * i));
    const sigmas = [...timesteps.map((t) => Math.sqrt(1 / alphaBar(t) - 1)), 0];
    let x = [...noise].map((value) => value * Math.sqrt(sigmas[0]! ** 2 + 1));
    timesteps.forEach((t, n) => {
      const input = x.map((value) => Math.fround(value / Math.sqrt(sigmas[n]! ** 2 + 1)));
      const epsilon = optimal(input, alphaBar(t), 'epsilon');
      // With ε, (x − x₀) / σ is ε.
      x = x.map((value, i) => value + (sigmas[n + 1]! - sigmas[n]!) * epsilon[i]!);
    });
    latents.forEach((value, i) => expect(Math.abs(value - x[i]!)).toBeLessThan(1e-9));
  });

  it.each([
    [
      { timestep_spacing: 'linspace' },
      [14.61465, 7.83989, 4.60918, 2.91831, 1.95016, 1.34493, 0.93236, 0.62498, 0.36866, 0.02917, 0],
      [999, 888, 777, 666, 555, 444, 333, 222, 111, 0],
      14.61465,
    ],
    [
      { timestep_spacing: 'leading' },
      [8.39069, 5.13443, 3.34776, 2.29285, 1.62369, 1.16822, 0.83565, 0.57405, 0.34619, 0.04131, 0],
      [901, 801, 701, 601, 501, 401, 301, 201, 101, 1],
      8.45007,
    ],
    [
      { timestep_spacing: 'trailing' },
      [14.61465, 8.30281, 5.08777, 3.32108, 2.27646, 1.61289, 1.16058, 0.82986, 0.56929, 0.34167, 0],
      [999, 899, 799, 699, 599, 499, 399, 299, 199, 99],
      14.61465,
    ],
    [
      { use_karras_sigmas: true },
      [14.61465, 9.10294, 5.4784, 3.16861, 1.74942, 0.91408, 0.44692, 0.2014, 0.08191, 0.02917, 0],
      [999, 916.284, 815.045, 687.153, 523.199, 327.147, 145.939, 40.857, 6.732, 0],
      14.61465,
    ],
    [
      { rescale_betas_zero_snr: true, timestep_spacing: 'trailing', prediction_type: 'v_prediction' },
      [4096, 18.13006, 7.41071, 4.11419, 2.60486, 1.76808, 1.24138, 0.87474, 0.59475, 0.35499, 0],
      [999, 899, 799, 699, 599, 499, 399, 299, 199, 99],
      4096,
    ],
  ])(
    'has the noise levels that diffusers prints for 10 steps: %o',
    (settings, sigmas, timesteps, initial) => {
      const found = sampleSigmas(scheduleOf({ ...SD15, ...settings }), 10);
      found.sigmas.forEach((sigma, i) => expect(sigma / (sigmas[i] || 1)).toBeCloseTo(sigmas[i] ? 1 : 0, 3));
      found.timesteps.forEach((t, i) => expect(t).toBeCloseTo(timesteps[i]!, 2));
      expect(found.initial / initial).toBeCloseTo(1, 5);
    },
  );

  it('has fractions of timesteps in between', () => {
    const { sigmas, timesteps } = sampleSigmas(scheduleOf(SD15), 25);
    expect(timesteps[1]).toBe(957.375);
    const at = (t: number) => Math.sqrt(1 / alphaBar(t) - 1);
    expect(sigmas[1]).toBeCloseTo(0.625 * at(957) + 0.375 * at(958), 12);
  });

  it('ends at the least noise of training with final_sigmas_type sigma_min', () => {
    const { sigmas } = sampleSigmas(scheduleOf({ ...SDXL, final_sigmas_type: 'sigma_min' }), 5);
    expect(sigmas[5]).toBeCloseTo(Math.sqrt(1 / alphaBar(0) - 1), 12);
  });

  it('spreads noise levels as Karras et al., equation 5', () => {
    const karras = scheduleOf({ ...SD15, use_karras_sigmas: true });
    const { sigmas, timesteps } = sampleSigmas(karras, 8);
    const at = (t: number) => Math.sqrt(1 / alphaBar(t) - 1);
    const [most, least] = [at(999), at(0)];
    for (let i = 0; i < 8; i++) {
      const expected = (most ** (1 / 7) + (i / 7) * (least ** (1 / 7) - most ** (1 / 7))) ** 7;
      expect(sigmas[i]).toBeCloseTo(expected, 9);
      const low = Math.min(Math.floor(timesteps[i]!), 998);
      const log = Math.log(at(low)) + (timesteps[i]! - low) * (Math.log(at(low + 1)) - Math.log(at(low)));
      expect(log).toBeCloseTo(Math.log(expected), 6);
    }
    expect(sigmas[8]).toBe(0);
  });

  it.each([
    ['interpolation_type', 'log_linear'],
    ['timestep_type', 'continuous'],
    ['use_exponential_sigmas', true],
    ['use_beta_sigmas', true],
  ])('refuses %s %o', (key, value) => {
    expect(() => sampleSigmas(scheduleOf({ ...SDXL, [key]: value }), 5)).toThrow(
      new RegExp(`${key} is .*, which is not supported`),
    );
  });
});

describe('a whole run', () => {
  /** Results of 25 steps with diffusers' own classes (0.40.0.dev0), ᾱ in float64, on the model below. */
  it.each([
    ['ddim', 'epsilon', 'leading', [2.5891, -13.38089, 16.102168, -3.553204]],
    ['ddim', 'epsilon', 'linspace', [3.112512, -15.873818, 19.177868, -4.189923]],
    ['ddim', 'epsilon', 'trailing', [3.434067, -17.530373, 21.173208, -4.629179]],
    ['ddim', 'v_prediction', 'leading', [0.140094, -1.062275, 1.157482, -0.322356]],
    ['ddim', 'v_prediction', 'linspace', [0.147952, -1.069555, 1.178151, -0.32032]],
    ['ddim', 'v_prediction', 'trailing', [0.139414, -1.066223, 1.159569, -0.324292]],
    ['euler', 'epsilon', 'leading', [2.564547, -13.272053, 15.964746, -3.526453]],
    ['euler', 'epsilon', 'linspace', [3.39379, -17.361034, 20.95556, -4.588835]],
    ['euler', 'epsilon', 'trailing', [3.392691, -17.357641, 20.950665, -4.588208]],
    ['euler', 'v_prediction', 'leading', [0.135828, -1.055048, 1.143493, -0.322201]],
    ['euler', 'v_prediction', 'linspace', [0.134219, -1.055557, 1.140952, -0.323387]],
    ['euler', 'v_prediction', 'trailing', [0.133726, -1.052277, 1.137268, -0.322429]],
  ] as const)('of %s from %s with %s timesteps is that of diffusers', (name, type, spacing, expected) => {
    const schedule = scheduleOf({ ...SD15, prediction_type: type, timestep_spacing: spacing });
    const sampler = startSampler(name, schedule, 25, [0.3, -1, 1.4, -0.2]);
    for (let step = sampler.next(); step; step = sampler.next()) {
      const { input, timestep } = step;
      sampler.step(input.map((x) => 0.3 * x * Math.cos(timestep * 0.01) + 0.1));
    }
    sampler.latents.forEach((x, i) =>
      expect(Math.abs(x - expected[i]!)).toBeLessThan(1e-5 * Math.abs(x) + 1e-5),
    );
  });
});

describe('timesteps', () => {
  it.each([
    ['leading', 4, [751, 501, 251, 1]],
    ['linspace', 7, [999, 832, 666, 500, 333, 166, 0]],
    ['trailing', 4, [999, 749, 499, 249]],
    // 937.5, 812.5 and so on: halves are rounded to even numbers, as NumPy does.
    ['linspace', 16, [999, 932, 866, 799, 733, 666, 599, 533, 466, 400, 333, 266, 200, 133, 67, 0]],
    ['trailing', 7, [999, 856, 713, 570, 428, 285, 142]],
    ['trailing', 16, [999, 937, 874, 811, 749, 687, 624, 561, 499, 437, 374, 311, 249, 187, 124, 61]],
  ])('are %s: %i', (timestep_spacing, steps, expected) => {
    const { timesteps } = draw('ddim', scheduleOf({ ...SD15, timestep_spacing }), steps, [0, 0, 0, 0]);
    expect(timesteps).toEqual(expected);
  });

  it('are not more than in training', () => {
    const draw = (steps: number) => startSampler('ddim', scheduleOf(SD15), steps, [0]);
    expect(() => draw(1001)).toThrow('A picture cannot be drawn in 1001 steps');
    // The first would be 1000: diffusers fails there.
    expect(() => draw(1000)).toThrow('steps_offset is 1');
    expect(() => draw(0)).toThrow('in 0 steps');
    expect(draw(500).next()!.timestep).toBe(999);
  });

  it('are refused with thresholding, which is not meant for latents', () => {
    expect(() => startSampler('ddim', scheduleOf({ ...SD15, thresholding: true }), 5, [0])).toThrow(
      'thresholding is true, which is not supported',
    );
  });
});
