import { AuroraError } from '../base/errors';
import {
  imageBatch,
  imageDataset,
  type ImageDataset,
  type ImageExample,
  readAhead,
} from '../data/image-dataset';
import { imageKeys } from '../data/image-keys';
import { augmentationOf } from '../data/images/augment';
import { outputSize, type Size } from '../data/images/image';
import { type ParsedPreprocessing, readPreprocessing } from '../data/images/preprocessor-config';
import { fittedPixels, pictureOf, thumbnailOf } from '../data/images/shown-image';
import type { ImageSource } from '../data/images/source';
import { inferLabels, labelIndex, labelsIn, withKnownLabels } from '../data/labels';
import { type List, mapped } from '../data/list';
import type { ReadWatch } from '../data/stream/build-index';
import { StreamedRows } from '../data/stream/record-file';
import { imageRows, streamedImages } from '../data/stream/streamed-images';
import type { ImageRow } from '../data/table/image-rows';
import type { Rows } from '../data/table/rows';
import type { Experiment } from '../experiment/experiment';
import { PATCH_INPUTS, readsPatches } from '../experiment/image-inputs';
import { identify } from '../files/identity';
import { DType, dtypeName } from '../graph/dtype';
import type { Model, ValueInfo } from '../graph/model';
import type { Outputs } from '../protocol/outputs';
import { type ReadFile, splitReader } from './splits';
import {
  type DataReader,
  type DataSplit,
  modelInputs,
  skippedWarning,
  type TaskData,
  validationPlace,
} from './task-data';

/** An image and the index of its label. */
export interface LabeledImage extends ImageExample {
  label: number;
}

interface ImageSplit extends DataSplit<LabeledImage> {
  dataset: ImageDataset<LabeledImage>;
}

export interface ImageData extends TaskData<LabeledImage> {
  train: ImageSplit;
  validation: ImageSplit;
}

type How = Pick<ImageDataset, 'plan' | 'side' | 'augmentation'>;

const NO_OUTPUTS: Outputs = { labels: [] };

const { readSplits, readValidation } = splitReader<ImageRow>({
  labels: (path, rows) => inferLabels(path, labelsIn(rows)),
  known: withKnownLabels,
  stratum: ({ label }) => label,
});

const reading =
  (watch?: ReadWatch): ReadFile<ImageRow> =>
  (path, options) =>
    imageRows(path, options, watch);

function encoded(
  spec: Experiment,
  path: string,
  { rows, skipped, parts }: Rows<ImageRow>,
  { labels }: Outputs,
  how: How,
): ImageSplit {
  const classes = labelIndex(labels);
  const exampleOf = (source: ImageSource, label: string, row: number): LabeledImage => ({
    size: 1,
    row,
    source,
    label: classes.get(label)!,
  });
  const dataset =
    rows instanceof StreamedRows
      ? streamedImages(rows as StreamedRows<ImageRow>, spec.data, how, exampleOf, ({ label }) => ({
          label: classes.get(label)!,
        }))
      : imageDataset(path, { rows, parts }, spec.data, how, (row, index) =>
          exampleOf(row.image, row.label, index),
        );
  const left = [...skipped, ...dataset.skipped];
  return { path, rows, dataset, skipped: left, parts };
}

const assumedOf = ({ assumed }: ParsedPreprocessing) =>
  assumed.map((message) => ({ key: 'model.preprocessor', message }));

function withoutRows(spec: Experiment, model: Model, { labels }: Outputs = NO_OUTPUTS) {
  const { settings, side } = imageInput(spec, model);
  const augmentation = augmentationOf(spec.data.augmentation);
  const how: How = { plan: settings.preprocessing, side, augmentation };
  const none = (path: string): ImageSplit => ({
    path,
    rows: [],
    dataset: { examples: [], truncatedCount: 0, skipped: [], ...how },
    skipped: [],
  });
  const { train, validation = train } = spec.data;
  const data: ImageData = {
    train: none(train),
    validation: none(validation),
    labels: [...labels],
    assumed: assumedOf(settings),
    warnings: settings.assumed,
  };
  return { data, how };
}

/** Labeled images: a folder, or the rows of a data file. */
export const imageReader: DataReader<LabeledImage, ImageData> = {
  async load(spec, model, known, watch) {
    const { data, how } = withoutRows(spec, model, known);
    const read = await readSplits(reading(watch), spec, known, model);
    const train = encoded(spec, spec.data.train, read.train, read.outputs, how);
    const path = spec.data.validation ?? spec.data.train;
    const validation = encoded(spec, path, read.validation, read.outputs, how);
    const warnings = [...data.warnings, ...skippedWarning([train, validation])];
    return { ...data, ...read.outputs, train, validation, warnings };
  },
  async loadValidation(spec, model, outputs = NO_OUTPUTS, watch) {
    const { data, how } = withoutRows(spec, model, outputs);
    const rows = await readValidation(reading(watch), spec, outputs);
    const validation = encoded(spec, data.validation.path, rows, outputs, how);
    return { ...data, validation, warnings: [...data.warnings, ...skippedWarning([validation])] };
  },
  withoutRows: async (spec, model, outputs) => withoutRows(spec, model, outputs).data,
  async samples(spec, data) {
    const { rows, parts } = await readValidation(reading(), spec, data);
    const { plan } = data.train.dataset;
    return mapped(rows, ({ text, label, line, image }) => ({
      text,
      label,
      ...validationPlace(spec, line, parts),
      image: () => fittedPixels(image, plan),
    }));
  },
  async inputs(dataset, indices, wanted, _, pass) {
    const [input] = wanted;
    if (!input) return {};
    const made = await imageBatch(dataset, indices, input.name, pass);
    return Object.fromEntries(wanted.map(({ name }) => [name, made[name]]));
  },
  readAhead,
  imageShape({ train: { dataset } }) {
    const { resize, patches } = dataset.plan;
    const edge = resize && 'shortestEdge' in resize ? resize.shortestEdge : undefined;
    return { ...dataset.side, shortestEdge: edge, patches };
  },
  thumbnail: ({ source }) => thumbnailOf(source),
  inputKeys: (lists) => imageKeys(lists as readonly List<ImageRow>[]),
  varies: ({ data }) => data.augmentation !== undefined,
  async shown(_, { rows, dataset }, index) {
    const { row, source } = dataset.examples.at(index)!;
    const { text, label, line } = rows.at(row)!;
    const picture = await pictureOf(source, dataset.plan);
    const image = { name: text, ...dataset.side, picture };
    return { line, ids: [], label, image };
  },
  hashInputs({ plan, examples }, hash) {
    hash.update(JSON.stringify(plan));
    if (examples.digest !== undefined) return void hash.update(examples.digest);
    for (const { source } of examples)
      if ('bytes' in source) hash.update(`,${source.bytes.length}`).update(source.bytes);
      else if ('path' in source) hash.update(`,${source.path} ${JSON.stringify(identify(source.path))}`);
  },
};

/**
 * The preprocessing of images for an experiment's model.
 *
 * @throws AuroraError 'model' if the model has another input than one of images, if there is no
 *   preprocessor_config.json, or if the two do not agree on the size
 */
function imageInput(spec: Experiment, model: Model): { settings: ParsedPreprocessing; side: Size } {
  const { path, preprocessor } = spec.model;
  const inputs = modelInputs(model);
  if (readsPatches(inputs)) return patchInput(spec, inputs);
  const [input] = inputs;
  const shape = input?.shape;
  if (inputs.length !== 1 || (shape && shape.length !== 4))
    throw new AuroraError(
      'model',
      `${path} has the inputs ${inputs.map((i) => i.name).join(', ')}, but images fill a single one of [batch, 3, height, width].`,
      'Choose a model that reads images, or the task.type that fits the model.',
    );
  if (input.dtype !== 0 && input.dtype !== DType.float)
    throw new AuroraError(
      'model',
      `${path}: the input ${input.name} is ${dtypeName(input.dtype)}, not float32.`,
      'Export the model in float32.',
    );
  const [batch, channels, ...sides] = shape ?? [undefined, 3];
  const fail = (why: string, hint: string) =>
    new AuroraError(
      'model',
      `${path}: the input ${input.name} is [${shape!.map((d) => d ?? '?').join(', ')}]: ${why}.`,
      hint,
    );
  if (typeof batch === 'number')
    throw fail('the batch axis is fixed', 'Export the model again with a dynamic batch axis.');
  if (typeof channels === 'number' && channels !== 3)
    throw fail('images have 3 channels', 'Export a model for color images; gray ones are read as such.');
  const settings = readPreprocessing(preprocessor!);
  if (settings.preprocessing.patches)
    throw fail(
      'preprocessor_config.json cuts images into patches',
      'Use the preprocessor_config.json of this model (model.preprocessor).',
    );
  const side = outputSize(settings.preprocessing);
  if (!side)
    throw new AuroraError(
      'model',
      `${preprocessor}: the size of a preprocessed image depends on its aspect ratio, so images do not fit into a batch.`,
      'Set "do_center_crop" and "crop_size", or "size" with "height" and "width".',
    );
  const [height = side.height, width = side.width] = sides.map((d) =>
    typeof d === 'number' ? d : undefined,
  );
  if (height !== side.height || width !== side.width)
    throw fail(
      `preprocessor_config.json makes images of ${side.width} × ${side.height}`,
      'Use the preprocessor_config.json of this model (model.preprocessor).',
    );
  return { settings, side };
}

/** @throws AuroraError 'model' if preprocessor_config.json makes something else than the model's patches */
function patchInput(
  { model: { path, preprocessor } }: Experiment,
  inputs: readonly ValueInfo[],
): { settings: ParsedPreprocessing; side: Size } {
  const settings = readPreprocessing(preprocessor!);
  const { patches } = settings.preprocessing;
  const wanted = inputs.find((i) => i.name === PATCH_INPUTS.pixels)!.shape?.at(-1);
  const made = patches && 3 * patches.side ** 2;
  if (
    !patches ||
    inputs.length !== Object.keys(PATCH_INPUTS).length ||
    (wanted !== undefined && wanted !== made)
  )
    throw new AuroraError(
      'model',
      `${path} reads patches of ${wanted ?? 'some'} values, but ${preprocessor} makes ${made === undefined ? 'whole images' : `patches of ${made}`}.`,
      'Use the preprocessor_config.json of this model (model.preprocessor): that of a Siglip2ImageProcessor.',
    );
  const length = Math.floor(Math.sqrt(patches.most)) * patches.side;
  return { settings, side: { width: length, height: length } };
}
