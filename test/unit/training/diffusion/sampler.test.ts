import { describe, expect, it } from 'vitest';
import { DType } from '../../../../src/graph/dtype';
import type { HostTensor, HostTensors } from '../../../../src/graph/tensor-infos';
import { drawPictureNoise } from '../../../../src/tasks/diffusion/draws';
import { startSampler } from '../../../../src/tasks/diffusion/sampler';
import {
  conditionsOf,
  drawLatents,
  pictureTimeIds,
  zeroEmbedding,
  type Drawing,
} from '../../../../src/training/diffusion/sampler';
import { SD15, scheduleOf } from '../../tasks/diffusion/configs';

const shape = [2, 1, 3] as const;
const COUNT = 6;

const embedding = (value: number) => ({
  hidden: Float32Array.from([value, 2 * value]),
  tokens: 2,
  width: 1,
  pooled: Float32Array.from([3 * value]),
});

const drawing = (guidance: number, more: Partial<Drawing['settings']> = {}): Drawing => ({
  schedule: scheduleOf(SD15),
  settings: { steps: 5, guidance, sampler: 'ddim', seed: 7, ...more },
  shape,
  prompt: conditionsOf(embedding(1), pictureTimeIds(24, 8)),
  negative: conditionsOf(zeroEmbedding(embedding(1)), pictureTimeIds(24, 8)),
  timestep: { dtype: DType.int64, shape: ['batch'] },
});

/** A model whose prediction depends on everything that it reads, row by row. */
function predict(inputs: HostTensors): Promise<Float32Array> {
  const rowOf = ({ data, dims: [rows] }: HostTensor, row: number) => {
    const each = data.length / rows!;
    return Array.from(data as Float32Array).slice(row * each, (row + 1) * each);
  };
  const { sample, timestep, encoder_hidden_states, text_embeds, time_ids } = inputs;
  const rows = Array.from({ length: sample!.dims[0]! }, (_, row) => {
    const all = [encoder_hidden_states!, text_embeds!, time_ids!].flatMap((input) => rowOf(input, row));
    const sum = all.reduce((a, b) => a + b) / 100 + Number((timestep!.data as BigInt64Array)[row]) / 1000;
    return rowOf(sample!, row).map((x) => 0.5 * x + sum);
  });
  return Promise.resolve(Float32Array.from(rows.flat()));
}

/** By hand: without a batch, one prompt after the other. */
async function expected(guidance: number): Promise<Float64Array> {
  const sampler = startSampler('ddim', scheduleOf(SD15), 5, drawPictureNoise(7, COUNT));
  const at = drawing(guidance);
  for (let step = sampler.next(); step; step = sampler.next()) {
    const { input, timestep } = step;
    const alone = (conditions: HostTensors) =>
      predict({
        sample: { dtype: DType.float, dims: [1, ...shape], data: input },
        timestep: { dtype: DType.int64, dims: [1], data: BigInt64Array.of(BigInt(timestep)) },
        ...conditions,
      });
    const [without, withPrompt] = [await alone(at.negative), await alone(at.prompt)];
    sampler.step(guidance > 1 ? without.map((x, i) => x + guidance * (withPrompt[i]! - x)) : withPrompt);
  }
  return sampler.latents;
}

const expectClose = (found: Float64Array | undefined, wanted: Float64Array) => {
  expect(found).toHaveLength(COUNT);
  found!.forEach((x, i) => expect(x).toBeCloseTo(wanted[i]!, 4));
};

describe('drawing latents', () => {
  it('pushes the prediction away from the negative prompt, both in one batch', async () => {
    const batches: number[] = [];
    const latents = await drawLatents(drawing(7.5), (inputs) => {
      batches.push(inputs.sample!.dims[0]!);
      expect(inputs.time_ids!.dims).toEqual([2, 6]);
      expect([...inputs.time_ids!.data].slice(0, 6)).toEqual([8, 24, 0, 0, 8, 24]);
      return predict(inputs);
    });
    expectClose(latents, await expected(7.5));
    expect(batches).toEqual([2, 2, 2, 2, 2]);
  });

  it.each([1, 0])('predicts for the prompt alone with guidance %d', async (guidance) => {
    const batches: number[] = [];
    const latents = await drawLatents(drawing(guidance), (inputs) => {
      batches.push(inputs.sample!.dims[0]!);
      return predict(inputs);
    });
    expectClose(latents, await expected(guidance));
    expect(batches).toEqual([1, 1, 1, 1, 1]);
  });

  it('depends on the seed', async () => {
    const [a, b, c] = [
      await drawLatents(drawing(2), predict),
      await drawLatents(drawing(2), predict),
      await drawLatents(drawing(2, { seed: 8 }), predict),
    ];
    expect(a).toEqual(b);
    expect(a).not.toEqual(c);
  });

  it('ends between steps once it is stopped', async () => {
    const steps: number[] = [];
    let stop = false;
    const latents = await drawLatents(drawing(2), predict, {
      stopped: () => stop,
      progress: (step, of) => {
        steps.push(step);
        expect(of).toBe(5);
        // As a request that arrives while the event loop is free.
        if (step === 2) setImmediate(() => (stop = true));
      },
    });
    expect(latents).toBeUndefined();
    expect(steps).toEqual([1, 2]);
  });

  it('takes the nearest timestep where the model has whole ones, and exact ones otherwise', async () => {
    const timesteps = async (dtype: number) => {
      const found: number[] = [];
      await drawLatents(
        { ...drawing(1, { sampler: 'euler', steps: 4 }), timestep: { dtype, shape: ['batch'] } },
        ({ sample, timestep }) => {
          found.push(Number(timestep!.data[0]));
          return Promise.resolve(sample!.data as Float32Array);
        },
      );
      return found;
    };
    expect(await timesteps(DType.float)).toEqual([999, 666, 333, 0]);
    expect(await timesteps(DType.int64)).toEqual([999, 666, 333, 0]);
    const some = { ...drawing(1, { sampler: 'euler' as const, steps: 5 }) };
    const found: unknown[] = [];
    for (const dtype of [DType.int64, DType.float])
      await drawLatents({ ...some, timestep: { dtype, shape: ['batch'] } }, ({ sample, timestep }) => {
        found.push(timestep!.data[0]);
        return Promise.resolve(sample!.data as Float32Array);
      });
    expect(found).toEqual([999n, 749n, 500n, 250n, 0n, 999, 749.25, 499.5, 249.75, 0]);
  });

  it('gives one timestep for all rows to a model that reads it so', async () => {
    await drawLatents(
      { ...drawing(3), timestep: { dtype: DType.int64, shape: [] } },
      ({ sample, timestep }) => {
        expect([sample!.dims[0], timestep!.dims, timestep!.data.length]).toEqual([2, [], 1]);
        return Promise.resolve(sample!.data as Float32Array);
      },
    );
    expect.assertions(5);
  });

  it('reports a model whose prediction is not finite', async () => {
    await expect(
      drawLatents(drawing(1), ({ sample }) =>
        Promise.resolve(new Float32Array(sample!.data.length).fill(NaN)),
      ),
    ).rejects.toThrow('not finite');
  });
});
