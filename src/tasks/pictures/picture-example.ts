import type { Dataset, Example, TrainingPass } from '../../data/dataset';
import type { ImageSource } from '../../data/images/source';
import type { PromptTokenizer } from '../../data/text/prompt-tokenizer';
import { DType } from '../../graph/dtype';
import { elementCount, type ValueInfo } from '../../graph/model';
import type { HostTensor, HostTensors } from '../../graph/tensor-infos';
import {
  drawClassImage,
  type DrawKeys,
  drawOffsetNoise,
  drawTimestep,
  samplePosterior,
} from '../diffusion/draws';
import { addNoise, minSnrWeight, target, type TrainingSchedule } from '../diffusion/noise-schedule';
import type { DataSplit, TaskData } from '../task-data';
import { EXAMPLE_WEIGHTS } from '../task-graph';

/** An image with its prompt; in an evaluation with one of several fixed amounts of noise. Plain data, shared by reference. */
export interface PictureExample extends Example {
  source: ImageSource;
  prompt: string;
  noising: Noising;
  /** The timestep in an evaluation; training draws one in each epoch. */
  timestep?: number;
  /** The encoded image and prompt. Set before the first batch. */
  encoded?: EncodedPicture;
  /** Class images, one of which is drawn for each example in each epoch (prior preservation). */
  classImages?: readonly PictureExample[];
}

/** The drawing and mixing of noise for all examples. */
export interface Noising {
  seed: number;
  schedule: TrainingSchedule;
  noiseOffset: number;
  /** γ of Min-SNR; undefined for the same weight at all timesteps. */
  snrGamma?: number;
  /** The weight of the loss on class images. */
  priorWeight: number;
}

export interface EncodedPicture {
  /** latent_parameters of the image: (2c, h, w), means before log-variances. */
  latents: HostTensor;
  scalingFactor: number;
  shiftFactor: number;
  /** The model's other inputs by their names, without the axis of the batch. */
  inputs: Readonly<Record<string, HostTensor>>;
}

export interface PictureDataset extends Dataset<PictureExample> {
  examples: PictureExample[];
}

export interface PictureSplit extends DataSplit<PictureExample> {
  dataset: PictureDataset;
}

export interface PictureData extends TaskData<PictureExample> {
  train: PictureSplit;
  validation: PictureSplit;
  /** The size in pixels to which images are cut. */
  resolution: number;
  centerCrop: boolean;
  /** The tokenizer of the prompts, to show their words. @throws AuroraError 'tokenizer' */
  promptTokenizer: () => PromptTokenizer;
}

/** Every example: of training, its class images, and of validation. */
export function picturesOf({
  train,
  validation,
}: Pick<PictureData, 'train' | 'validation'>): PictureExample[] {
  const { examples } = train.dataset;
  return [...examples, ...(examples[0]?.classImages ?? []), ...validation.dataset.examples];
}

/** An image with noise, as the model reads it, and the target of its prediction. */
interface NoisyRow {
  encoded: EncodedPicture;
  timestep: number;
  sample: Float32Array;
  target: Float32Array;
  /** The weight of its loss in training. */
  weight: number;
}

/** The names of a U-Net's inputs that are not encoded, as Optimum has them. */
const SAMPLE = 'sample';
const TIMESTEP = 'timestep';

/**
 * The rows of a batch, as in diffusers' train_dreambooth.py: instance images first, then a class image for each of them.
 * An evaluation has no class images.
 */
const inOrder = (rows: readonly Rows[]): NoisyRow[] => [
  ...rows.map(([own]) => own),
  ...rows.flatMap(([, ofClass]) => ofClass ?? []),
];

/** The rows of an example: its own, and in training that of its class image. */
type Rows = readonly [own: NoisyRow, ofClass?: NoisyRow];

/** Drawn for a batch's inputs, until its targets are asked for: on a GPU, drawing them again would be a good part of a step. */
const drawn = new WeakMap<PictureExample, { pass: string; rows: Rows }>();

const passKey = (pass: TrainingPass | undefined): string => (pass ? `${pass.seed} ${pass.epoch}` : '');

function rowsForInputs(example: PictureExample, pass: TrainingPass | undefined): Rows {
  const rows = drawRows(example, pass);
  drawn.set(example, { pass: passKey(pass), rows });
  return rows;
}

function rowsForTargets(example: PictureExample, pass: TrainingPass | undefined): Rows {
  const known = drawn.get(example);
  drawn.delete(example);
  const fits = known?.pass === passKey(pass) && known.rows[0].encoded === example.encoded;
  return fits ? known.rows : drawRows(example, pass);
}

function drawRows(example: PictureExample, pass: TrainingPass | undefined): Rows {
  const keys = keysOf(example, pass);
  const own = noisyRow(example, keys, 1, pass !== undefined);
  const { classImages, noising } = example;
  if (pass === undefined || !classImages) return [own];
  const ofClass = { ...keys, row: 2 * example.row + 1 };
  const other = classImages[drawClassImage(ofClass, classImages.length)]!;
  return [own, noisyRow(other, ofClass, noising.priorWeight, true)];
}

/** Keys of random numbers. In an evaluation, all timesteps of an image have their own draws. */
const keysOf = ({ row, noising, timestep }: PictureExample, pass?: TrainingPass): DrawKeys => ({
  seed: noising.seed,
  pass: pass ? pass.epoch + 1 : 0,
  row: 2 * (pass ? row : row * noising.schedule.alphasCumprod.length + timestep!),
});

function noisyRow(example: PictureExample, keys: DrawKeys, weight: number, isTraining: boolean): NoisyRow {
  const { noising, encoded } = example;
  if (!encoded) throw new Error(`The image of row ${example.row} has not been encoded`);
  const { schedule, noiseOffset, snrGamma } = noising;
  const latents = samplePosterior(
    keys,
    encoded.latents.data as Float32Array,
    encoded.scalingFactor,
    encoded.shiftFactor,
  );
  const [channels, perChannel] = sizeOf(encoded);
  const noise = drawOffsetNoise(keys, channels, perChannel, isTraining ? noiseOffset : 0);
  const timestep = example.timestep ?? drawTimestep(keys, schedule.alphasCumprod.length);
  return {
    encoded,
    timestep,
    sample: addNoise(schedule, latents, noise, timestep),
    target: target(schedule, latents, noise, timestep),
    weight: snrGamma === undefined ? weight : weight * minSnrWeight(schedule, timestep, snrGamma),
  };
}

/** Channels of the latents, and the elements of each. */
function sizeOf({ latents: { dims } }: EncodedPicture): [channels: number, perChannel: number] {
  const [both, ...sides] = dims;
  return [both! / 2, elementCount(sides)];
}

/** The sizes of the latents of some rows: (rows, c, h, w). */
const batchDims = (rows: readonly NoisyRow[]): number[] => {
  const [both, ...sides] = rows[0]!.encoded.latents.dims;
  return [rows.length, both! / 2, ...sides];
};

/** The sizes of a row in each input. */
export const rowSizes = ({ latents, inputs }: EncodedPicture): Map<string, readonly number[]> =>
  new Map<string, readonly number[]>([
    [SAMPLE, [latents.dims[0]! / 2, ...latents.dims.slice(1)]],
    [TIMESTEP, []],
    ...Object.entries(inputs).map(([name, { dims }]) => [name, dims] as const),
  ]);

/** @param wanted inputs of the model: `sample`, `timestep` and the encoders' results */
export function noisyInputs(
  examples: readonly PictureExample[],
  wanted: readonly ValueInfo[],
  pass: TrainingPass | undefined,
): HostTensors {
  const rows = inOrder(examples.map((example) => rowsForInputs(example, pass)));
  const inputs: HostTensors = {};
  for (const { name, dtype } of wanted)
    inputs[name] =
      name === SAMPLE
        ? { dtype: DType.float, dims: batchDims(rows), data: joined(rows.map((r) => r.sample)) }
        : name === TIMESTEP
          ? timesteps(rows, dtype)
          : stacked(rows.map(({ encoded }) => encoded.inputs[name]!));
  if (isWeighted(examples))
    inputs[EXAMPLE_WEIGHTS] = {
      dtype: DType.float,
      dims: [rows.length],
      data: Float32Array.from(rows, (r) => (pass ? r.weight : 1)),
    };
  return inputs;
}

const isWeighted = ([example]: readonly PictureExample[]): boolean =>
  example !== undefined && (example.noising.snrGamma !== undefined || example.classImages !== undefined);

export function noisyTargets(examples: readonly PictureExample[], pass?: TrainingPass): HostTensor {
  const rows = inOrder(examples.map((example) => rowsForTargets(example, pass)));
  return { dtype: DType.float, dims: batchDims(rows), data: joined(rows.map((r) => r.target)) };
}

function timesteps(rows: readonly NoisyRow[], dtype: number): HostTensor {
  const values = rows.map((r) => r.timestep);
  return dtype === DType.float
    ? { dtype, dims: [rows.length], data: Float32Array.from(values) }
    : { dtype: DType.int64, dims: [rows.length], data: BigInt64Array.from(values, BigInt) };
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Tensors of the same dimensions with a first axis. */
function stacked(parts: readonly HostTensor[]): HostTensor {
  const [{ dtype, dims, data }] = parts as [HostTensor];
  const all = [parts.length, ...dims];
  if (!(data instanceof BigInt64Array))
    return { dtype, dims: all, data: joined(parts.map((p) => p.data as Float32Array)) };
  const ids = parts.flatMap((p) => [...(p.data as BigInt64Array)]);
  return { dtype, dims: all, data: BigInt64Array.from(ids) };
}
