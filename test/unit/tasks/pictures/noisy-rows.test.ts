import { describe, expect, it } from 'vitest';
import { DType } from '../../../../src/graph/dtype';
import type { HostTensor } from '../../../../src/graph/tensor-infos';
import { readNoiseSchedule, minSnrWeight } from '../../../../src/tasks/diffusion/noise-schedule';
import {
  noisyInputs,
  noisyTargets,
  type Noising,
  type PictureExample,
} from '../../../../src/tasks/pictures/picture-example';
import { subjectGeneration } from '../../../../src/tasks/subject-generation';
import { EXAMPLE_WEIGHTS } from '../../../../src/tasks/task-graph';
import { SD } from './support';

const schedule = readNoiseSchedule('test/fixtures/diffusers/sd/scheduler/scheduler_config.json');
const NOISING: Noising = { seed: 7, schedule, noiseOffset: 0, priorWeight: 1 };

const floats = (dims: number[], value: (i: number) => number) => ({
  dtype: DType.float,
  dims,
  data: Float32Array.from({ length: dims.reduce((a, b) => a * b) }, (_, i) => value(i)),
});

/** Its latents are all `value`, with next to no variance. */
function picture(row: number, value: number, more: Partial<PictureExample> = {}): PictureExample {
  return {
    size: 1,
    row,
    source: { path: `${row}.png` },
    prompt: 'x',
    noising: NOISING,
    encoded: {
      latents: floats([8, 4, 6], (i) => (i < 4 * 24 ? value : -30)),
      scalingFactor: 0.5,
      shiftFactor: 0,
      inputs: { encoder_hidden_states: floats([3, 2], (i) => 10 * row + i) },
    },
    ...more,
  };
}

const wanted = SD.graph.inputs;
const rows = (t: HostTensor) =>
  Array.from({ length: t.dims[0]! }, (_, r) => {
    const size = t.data.length / t.dims[0]!;
    return Array.from({ length: size }, (_, i) => Number(t.data[r * size + i]));
  });

describe('a noisy row', () => {
  const examples = [picture(0, 2), picture(1, -4)];

  it('has the same targets without its inputs, and others once the image is encoded again', () => {
    const example = picture(0, 2);
    const pass = { seed: 7, epoch: 2 };
    const alone = rows(noisyTargets([picture(0, 2)], pass));
    noisyInputs([example], wanted, pass);
    expect(rows(noisyTargets([example], pass))).toEqual(alone);
    const noising: Noising = { ...NOISING, schedule: { ...schedule, predictionType: 'v_prediction' } };
    const v = picture(0, 2, { noising });
    noisyInputs([v], wanted, pass);
    const before = rows(noisyTargets([v], pass));
    noisyInputs([v], wanted, pass);
    v.encoded = picture(0, 5).encoded;
    expect(rows(noisyTargets([v], pass))).not.toEqual(before);
  });

  it('mixes latents, scaled, and the noise that is to be predicted', () => {
    const inputs = noisyInputs(examples, wanted, { seed: 7, epoch: 2 });
    const targets = noisyTargets(examples, { seed: 7, epoch: 2 });
    expect(inputs.sample!.dims).toEqual([2, 4, 4, 6]);
    expect(inputs.timestep!.dtype).toBe(DType.int64);
    expect(rows(inputs.encoder_hidden_states!)).toEqual([
      [0, 1, 2, 3, 4, 5],
      [10, 11, 12, 13, 14, 15],
    ]);
    expect(targets.dims).toEqual([2, 4, 4, 6]);
    const [samples, noises] = [rows(inputs.sample!), rows(targets)];
    const timesteps = rows(inputs.timestep!).flat();
    for (const [r, x0] of [1, -2].entries()) {
      const alpha = schedule.alphasCumprod[timesteps[r]!]!;
      samples[r]!.forEach((x, i) =>
        expect(x).toBeCloseTo(Math.sqrt(alpha) * x0 + Math.sqrt(1 - alpha) * noises[r]![i]!, 5),
      );
    }
    const mean = noises.flat().reduce((a, b) => a + b) / 192;
    expect(Math.abs(mean)).toBeLessThan(0.3);
  });

  it('depends on seed, epoch and row alone', () => {
    const at = (epoch: number, ...of: PictureExample[]) => rows(noisyTargets(of, { seed: 7, epoch }));
    expect(at(0, ...examples)).toEqual(at(0, ...examples));
    expect(at(0, examples[1]!)[0]).toEqual(at(0, ...examples)[1]);
    expect(at(1, ...examples)).not.toEqual(at(0, ...examples));
  });

  it('has its own timestep and noise in an evaluation, and no noise offset', () => {
    const offset = { ...NOISING, noiseOffset: 5 };
    const measured = [100, 700].map((timestep) => picture(0, 2, { timestep, noising: offset }));
    expect(rows(noisyInputs(measured, wanted, undefined).timestep!).flat()).toEqual([100, 700]);
    const [early, late] = rows(noisyTargets(measured));
    expect(early).not.toEqual(late);
    expect(rows(noisyTargets([picture(0, 2, { timestep: 100 })]))[0]).toEqual(early);
    const shift = (noise: number[]) => Math.abs(noise.slice(0, 24).reduce((a, b) => a + b) / 24);
    const trained = rows(noisyTargets([picture(0, 2, { noising: offset })], { seed: 7, epoch: 0 }))[0]!;
    expect(shift(early!)).toBeLessThan(1);
    expect(shift(trained)).toBeGreaterThan(1);
  });

  it('predicts the velocity where the schedule says so', () => {
    const noising: Noising = { ...NOISING, schedule: { ...schedule, predictionType: 'v_prediction' } };
    const [noise] = rows(noisyTargets([picture(0, 2, { timestep: 500 })]));
    const [v] = rows(noisyTargets([picture(0, 2, { timestep: 500, noising })]));
    const alpha = schedule.alphasCumprod[500]!;
    v!.forEach((x, i) => expect(x).toBeCloseTo(Math.sqrt(alpha) * noise![i]! - Math.sqrt(1 - alpha), 5));
  });
});

describe('the rows of a training batch', () => {
  it('are instances, then a class image for each, with their weight', () => {
    const noising = { ...NOISING, priorWeight: 0.25 };
    const classImages = [20, 21, 22].map((row) => picture(row, 0, { noising }));
    const examples = [0, 1, 2, 3].map((row) => picture(row, 1, { classImages, noising }));
    const inputs = noisyInputs(examples, wanted, { seed: 7, epoch: 0 });
    expect(inputs.sample!.dims[0]).toBe(8);
    expect([...inputs[EXAMPLE_WEIGHTS]!.data]).toEqual([1, 1, 1, 1, 0.25, 0.25, 0.25, 0.25]);
    const prompts = rows(inputs.encoder_hidden_states!).map(([first]) => first! / 10);
    expect(prompts.slice(0, 4)).toEqual([0, 1, 2, 3]);
    for (const row of prompts.slice(4)) expect([20, 21, 22]).toContain(row);
    // An example has the same class image in whatever batch it is.
    const [, alone] = rows(noisyInputs([examples[2]!], wanted, { seed: 7, epoch: 0 }).encoder_hidden_states!);
    expect(alone![0]! / 10).toBe(prompts[6]);
    const others = [1, 2, 3, 4, 5].map(
      (epoch) => rows(noisyInputs([examples[2]!], wanted, { seed: 7, epoch }).encoder_hidden_states!)[1]![0],
    );
    expect(new Set(others).size).toBeGreaterThan(1);
  });

  it('have the weights of Min-SNR', () => {
    const noising = { ...NOISING, snrGamma: 5 };
    const inputs = noisyInputs([picture(0, 1, { noising }), picture(1, 1, { noising })], wanted, {
      seed: 7,
      epoch: 0,
    });
    const expected = rows(inputs.timestep!).map(([t]) => minSnrWeight(schedule, t!, 5));
    inputs[EXAMPLE_WEIGHTS]!.data.forEach((w, i) => expect(Number(w)).toBeCloseTo(expected[i]!, 6));
  });
});

it('a prediction’s loss is its mean squared error, at its timestep', () => {
  const examples = [100, 700].map((timestep) => picture(0, 2, { timestep }));
  const kept = examples.map((e) => {
    const wantedNoise = noisyTargets([e]).data as Float32Array;
    return subjectGeneration.keep(
      e,
      wantedNoise.map((x) => x + 0.5),
    );
  });
  const split = {
    path: 'images',
    rows: [{ text: 'a.png', label: '', line: 1 }],
    dataset: { examples, truncatedCount: 0, skipped: [] },
    skipped: [],
  };
  const { columns } = subjectGeneration.predictions(split, { labels: [] }, kept);
  expect([...columns.timestep]).toEqual([100, 700]);
  columns.loss.forEach((loss) => expect(loss).toBeCloseTo(0.25, 5));
  expect([...columns.line]).toEqual([1, 1]);
});
