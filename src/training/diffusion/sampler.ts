import type { Evaluator, Parameters } from '../../engine/stepper';
import type { PictureSettings } from '../../experiment/pictures';
import { DType } from '../../graph/dtype';
import type { ValueInfo } from '../../graph/model';
import type { HostTensor, HostTensors } from '../../graph/tensor-infos';
import { drawPictureNoise } from '../../tasks/diffusion/draws';
import type { NoiseSchedule } from '../../tasks/diffusion/noise-schedule';
import { type SamplerStep, startSampler } from '../../tasks/diffusion/sampler';
import { roundHalfEven } from '../../tasks/diffusion/timesteps';
import { LABELS } from '../../tasks/task-graph';
import { requireFinite } from '../task/finite-output';
import { isStopped, type PromptEmbedding } from './encoded';

/** The U-Net's prediction of a batch: inputs as Optimum names them; (b, c, h, w). */
export type Predict = (inputs: HostTensors) => Promise<ArrayLike<number>>;

export interface Drawing {
  schedule: NoiseSchedule;
  settings: PictureSettings;
  /** The shape of the latents. */
  shape: readonly [channels: number, height: number, width: number];
  /** The inputs of the U-Net besides latents and timestep, of one row each. */
  prompt: HostTensors;
  /** The inputs for the negative prompt. Read only with guidance. */
  negative: HostTensors;
  /**
   * The U-Net's input: one timestep for each row, or, as some exports have it, one for all. If its type is int64, it
   * takes the nearest one where a sampler's lies between two.
   */
  timestep: Pick<ValueInfo, 'dtype' | 'shape'>;
}

export interface DrawingHooks {
  /** Asked between steps. */
  stopped?: () => boolean;
  /** After each step. */
  progress?: (step: number, of: number) => void | Promise<void>;
}

/**
 * Draws the latents of one picture with classifier-free guidance (Ho and Salimans, 2022): with a guidance scale g above 1,
 * the prediction is that of the negative prompt plus g times its difference to that of the prompt, both in one batch.
 *
 * @returns undefined if it was stopped
 * @throws AuroraError 'model' for a setting of the scheduler that the sampler does not have; 'usage' for too many
 *   steps; 'model' if a prediction is not finite
 */
export async function drawLatents(
  drawing: Drawing,
  predict: Predict,
  hooks: DrawingHooks = {},
): Promise<Float64Array | undefined> {
  const { schedule, settings, shape, prompt, negative } = drawing;
  const { steps, guidance, seed } = settings;
  const count = shape.reduce((n, side) => n * side, 1);
  const sampler = startSampler(settings.sampler, schedule, steps, drawPictureNoise(seed, count));
  const guided = guidance > 1;
  const conditions = guided ? together(negative, prompt) : prompt;
  for (let step = sampler.next(); step; step = sampler.next()) {
    if (await isStopped(hooks)) return undefined;
    const rows = await predict({ ...latentInputs(drawing, step, guided ? 2 : 1), ...conditions });
    sampler.step(guided ? guide(rows, guidance) : rows);
    await hooks.progress?.(step.index + 1, steps);
  }
  requireFinite(sampler.latents);
  return sampler.latents;
}

/** The U-Net's inputs for a prompt. @param timeIds for SDXL: original size, crop and target size */
export function conditionsOf(
  { hidden, tokens, width, pooled }: PromptEmbedding,
  timeIds: readonly number[],
): HostTensors {
  const floats = (dims: number[], data: Float32Array) => ({ dtype: DType.float, dims: [1, ...dims], data });
  return {
    encoder_hidden_states: floats([tokens, width], hidden),
    ...(pooled && {
      text_embeds: floats([pooled.length], pooled),
      time_ids: floats([timeIds.length], Float32Array.from(timeIds)),
    }),
  };
}

/** The time ids of a picture that is drawn: it was not cropped. */
export const pictureTimeIds = (width: number, height: number): number[] => [
  height,
  width,
  0,
  0,
  height,
  width,
];

/** The embedding of no prompt where a pipeline sets it to zero (force_zeros_for_empty_prompt). */
export const zeroEmbedding = ({ hidden, tokens, width, pooled }: PromptEmbedding): PromptEmbedding => ({
  hidden: new Float32Array(hidden.length),
  tokens,
  width,
  ...(pooled && { pooled: new Float32Array(pooled.length) }),
});

function latentInputs(
  { shape, timestep: { dtype, shape: timestepShape } }: Drawing,
  { input, timestep }: SamplerStep,
  rows: number,
): HostTensors {
  const data = new Float32Array(rows * input.length);
  for (let row = 0; row < rows; row++) data.set(input, row * input.length);
  const isOne = timestepShape?.length === 0;
  const times = new Array<number>(isOne ? 1 : rows).fill(timestep);
  return {
    sample: { dtype: DType.float, dims: [rows, ...shape], data },
    timestep: {
      dtype,
      dims: isOne ? [] : [rows],
      data:
        dtype === DType.int64
          ? BigInt64Array.from(times, (t) => BigInt(roundHalfEven(t)))
          : Float32Array.from(times),
    },
  };
}

/** Two rows of each input. */
function together(first: HostTensors, second: HostTensors): HostTensors {
  const both: HostTensors = {};
  for (const [name, a] of Object.entries(first)) both[name] = stacked(a, second[name]!);
  return both;
}

function stacked(a: HostTensor, b: HostTensor): HostTensor {
  const dims = [a.dims[0]! + b.dims[0]!, ...a.dims.slice(1)];
  if (a.data instanceof BigInt64Array)
    return { ...a, dims, data: BigInt64Array.from([...a.data, ...(b.data as BigInt64Array)]) };
  if (a.data instanceof Int32Array)
    return { ...a, dims, data: Int32Array.from([...a.data, ...(b.data as Int32Array)]) };
  const data = new Float32Array(a.data.length + b.data.length);
  data.set(a.data as Float32Array);
  data.set(b.data as Float32Array, a.data.length);
  return { ...a, dims, data };
}

/** @param rows the prediction for the negative prompt, then that for the prompt */
function guide(rows: ArrayLike<number>, guidance: number): Float64Array {
  const count = rows.length / 2;
  return Float64Array.from({ length: count }, (_, i) => {
    const without = rows[i]!;
    return without + guidance * (rows[count + i]! - without);
  });
}

/** The prediction of a task's graph, whose loss is computed against zeros and not read. */
export const evaluatorPredict =
  (evaluator: Evaluator, parameters: Parameters): Predict =>
  async (inputs) => {
    const { dims, data } = inputs.sample!;
    const labels = { dtype: DType.float, dims, data: new Float32Array(data.length) };
    const { logits } = await evaluator.evaluate({ ...inputs, [LABELS]: labels }, parameters);
    return logits.data as Float32Array;
  };
