import type { PatchBudget } from '../base/patch-budget';
import type { Experiment } from '../experiment/experiment';
import { PATCH_INPUTS } from '../experiment/image-inputs';
import type { HostTensors } from '../graph/tensor-infos';
import { DType } from '../graph/dtype';
import { integers } from './batch';
import type { Dataset, Example, TrainingPass } from './dataset';
import type { ImageRow } from './table/image-rows';
import { refuseBadRows } from './table/bad-rows';
import { requireRows, type Rows, type SkippedRow } from './table/rows';
import type { Augmentation } from './images/augment';
import type { Size, Preprocessing } from './images/image';
import type { ImageJob, ImageValues } from './images/job';
import { readValues } from './images/pool';
import { imageProblem, type ImageSource } from './images/source';

export interface ImageExample extends Example {
  source: ImageSource;
}

/** Plain data, so that it can be sent to the process that measures a device. */
export interface ImageDataset<E extends ImageExample = ImageExample> extends Dataset<E> {
  plan: Preprocessing;
  /** The size of each preprocessed image; of those in patches, that of one as wide as it is high. */
  side: Size;
  augmentation?: Augmentation;
}

/**
 * Every row as an example. Images are only checked: their files must exist and begin as images do. All have the same
 * size, 1: batches of images are never padded.
 */
export function imageDataset<R extends ImageRow, E extends ImageExample>(
  path: string,
  { rows, parts }: Pick<Rows<R>, 'rows' | 'parts'>,
  { onBadRow }: Pick<Experiment['data'], 'onBadRow'>,
  how: Pick<ImageDataset, 'plan' | 'side' | 'augmentation'>,
  exampleOf: (row: R, index: number) => E,
): ImageDataset<E> {
  const examples: E[] = [];
  const skipped: SkippedRow[] = [];
  let index = 0;
  for (const row of rows) {
    const reason = imageProblem(row.image);
    if (reason === undefined) examples.push(exampleOf(row, index));
    else skipped.push({ line: row.line, reason, ofImage: true });
    index++;
  }
  refuseBadRows(path, skipped, onBadRow, parts);
  requireRows(path, examples.length, skipped, parts);
  return { examples, truncatedCount: 0, skipped, ...how };
}

/** Images that are being read for a later batch, by their pass. */
const ahead = new WeakMap<ImageExample, Map<string, Promise<ImageValues>>>();

const keyOf = (pass: TrainingPass | undefined): string => (pass ? `${pass.seed} ${pass.epoch}` : '');

function jobOf(
  { plan, augmentation }: ImageDataset,
  { source, row }: ImageExample,
  pass: TrainingPass | undefined,
): ImageJob {
  const change = pass && augmentation && { augmentation, key: { ...pass, example: row } };
  return { source, plan, change };
}

/** Begins to read the images of a batch, so that they are there when it is needed. */
export const readAhead = (dataset: ImageDataset, indices: readonly number[], pass?: TrainingPass): void =>
  begin(
    dataset,
    indices.map((i) => dataset.examples.at(i)!),
    pass,
  );

function begin(dataset: ImageDataset, examples: readonly ImageExample[], pass?: TrainingPass): void {
  for (const example of examples) {
    const passes = ahead.get(example) ?? new Map<string, Promise<ImageValues>>();
    ahead.set(example, passes);
    const key = keyOf(pass);
    if (passes.has(key)) continue;
    const values = readValues(jobOf(dataset, example, pass));
    // The one that takes it gets the error; perhaps nobody does.
    values.catch(() => undefined);
    passes.set(key, values);
  }
}

/**
 * A batch of images: [batch, 3, height, width], or patches [batch, patches, values] with a mask and the rows and columns
 * of each image.
 *
 * @param name of the only input of a model that reads whole images
 * @throws AuroraError 'data' if one cannot be read
 */
export async function imageBatch(
  dataset: ImageDataset,
  indices: readonly number[],
  name: string,
  pass?: TrainingPass,
): Promise<HostTensors> {
  // Examples on disk are made again when they have not been asked for in a while.
  const examples = indices.map((i) => dataset.examples.at(i)!);
  begin(dataset, examples, pass);
  const key = keyOf(pass);
  const passes = examples.map((example) => ahead.get(example)!);
  const taken = passes.map((p) => p.get(key)!);
  for (const p of passes) p.delete(key);
  const { plan, side } = dataset;
  if (plan.patches) return patchBatch(plan.patches, taken);
  const { width, height } = side;
  const data = new Float32Array(indices.length * 3 * height * width);
  for (const [i, image] of taken.entries()) data.set((await image).values, i * 3 * height * width);
  return { [name]: { dtype: DType.float, dims: [indices.length, 3, height, width], data } };
}

/** As Siglip2ImageProcessor, each image is padded to the largest number of patches. */
async function patchBatch({ side, most }: PatchBudget, images: readonly Promise<ImageValues>[]) {
  const batch = images.length;
  const width = 3 * side * side;
  const data = new Float32Array(batch * most * width);
  const mask = new Int32Array(batch * most);
  const shapes = new Int32Array(batch * 2);
  for (const [i, image] of images.entries()) {
    const { values, grid } = await image;
    const [rows, columns] = grid!;
    data.set(values, i * most * width);
    mask.fill(1, i * most, i * most + rows * columns);
    shapes.set([rows, columns], 2 * i);
  }
  return {
    [PATCH_INPUTS.pixels]: { dtype: DType.float, dims: [batch, most, width], data },
    [PATCH_INPUTS.mask]: integers(DType.int64, [batch, most], mask),
    [PATCH_INPUTS.shapes]: integers(DType.int64, [batch, 2], shapes),
  };
}
