import type { Experiment } from '../experiment/experiment';
import type { HostTensor } from '../graph/tensor-infos';
import { DType } from '../graph/dtype';
import type { Dataset, Example, TrainingPass } from './dataset';
import type { ImageRow } from './table/image-rows';
import { refuseBadRows } from './table/bad-rows';
import { requireRows, type Rows, type SkippedRow } from './table/rows';
import type { Augmentation } from './images/augment';
import type { Size, Preprocessing } from './images/image';
import type { ImageJob } from './images/job';
import { readValues } from './images/pool';
import { imageProblem, type ImageSource } from './images/source';

export interface ImageExample extends Example {
  source: ImageSource;
}

/** Plain data, so that it can be sent to the process that measures a device. */
export interface ImageDataset<E extends ImageExample = ImageExample> extends Dataset<E> {
  plan: Preprocessing;
  /** The size of each preprocessed image. */
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
const ahead = new WeakMap<ImageExample, Map<string, Promise<Float32Array>>>();

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
    const passes = ahead.get(example) ?? new Map<string, Promise<Float32Array>>();
    ahead.set(example, passes);
    const key = keyOf(pass);
    if (passes.has(key)) continue;
    const values = readValues(jobOf(dataset, example, pass));
    // The one that takes it gets the error; perhaps nobody does.
    values.catch(() => undefined);
    passes.set(key, values);
  }
}

/** A batch of images: [batch, 3, height, width]. @throws AuroraError 'data' if one cannot be read */
export async function imageBatch(
  dataset: ImageDataset,
  indices: readonly number[],
  pass?: TrainingPass,
): Promise<HostTensor> {
  // Examples on disk are made again when they have not been asked for in a while.
  const examples = indices.map((i) => dataset.examples.at(i)!);
  begin(dataset, examples, pass);
  const key = keyOf(pass);
  const passes = examples.map((example) => ahead.get(example)!);
  const taken = passes.map((p) => p.get(key)!);
  for (const p of passes) p.delete(key);
  const { width, height } = dataset.side;
  const data = new Float32Array(indices.length * 3 * height * width);
  for (const [i, values] of taken.entries()) data.set(await values, i * 3 * height * width);
  return { dtype: DType.float, dims: [indices.length, 3, height, width], data };
}
