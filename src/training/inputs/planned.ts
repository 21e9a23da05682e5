import { existsSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { loadModelFrom, weightFilesOf } from '../../architectures/load';
import { configOf, modelSource, type Pipeline } from '../../architectures/model-source';
import { AuroraError } from '../../base/errors';
import { readPreprocessing } from '../../data/images/preprocessor-config';
import { useOf } from '../../data/images/source';
import { isLarge } from '../../data/stream/open-streamed';
import { captionsFile, imageField, type ImageRow, readPictureRows } from '../../data/table/image-rows';
import { readRows, type RowFormat } from '../../data/table/rows';
import { readTokenizerFiles, tokenizerSum } from '../../data/text/tokenizer-files';
import { dataOfSet, evaluationSets } from '../../experiment/evaluation-sets';
import type { DataSpec, Experiment } from '../../experiment/experiment';
import { describeTask } from '../../experiment/tasks/registry';
import { inputExists, seeingInputs, statInput } from '../../files/inputs/open';
import { filesBelow, isFolder } from '../../files/tree';
import type { NamedInput } from '../../runs/inputs';
import { promptTokenizers } from '../diffusion/encode-pipeline';
import { pipelineSchedule } from '../diffusion/schedule';
import { SeenInputs } from './seen';

/**
 * Every file that training an experiment will read or try to open, found by its readers themselves: for callers that
 * must know it before anything is trained, such as a sweep, or on another machine. Weights and rows of text are not
 * read.
 *
 * @param incomplete gets the errors of files that cannot be read; without it, they are thrown
 * @throws AuroraError as the readers of models, tokenizers and data
 */
export async function plannedInputs(
  spec: Experiment,
  incomplete?: (error: AuroraError) => void,
): Promise<NamedInput[]> {
  const seen = new SeenInputs(spec);
  await seeingInputs(seen.see, async () => {
    for (const read of [seeModel, seePreparation, seeImages])
      try {
        await read(spec);
      } catch (e) {
        if (incomplete === undefined || !(e instanceof AuroraError)) throw e;
        incomplete(e);
      }
  });
  return seen.all;
}

function seeModel({ model }: Experiment): void {
  const source = modelSource(model.path);
  if (source.kind === 'pipeline') seePipeline(source);
  loadModelFrom(source, 'structure');
}

/** Sees the files that define how texts or images become the model's input. */
function seePreparation({ model, task }: Experiment): void {
  // A pipeline has its tokenizers in folders.
  if (describeTask(task.type).answer === 'picture') return;
  if (model.preprocessor !== undefined) return void readPreprocessing(model.preprocessor);
  readTokenizerFiles(model.tokenizer);
  // By which encoded texts are cached.
  tokenizerSum(model.tokenizer);
}

/**
 * Opens the parts of a pipeline that training uses besides its U-Net, some of it only while pictures are drawn:
 * encoders and decoder, tokenizers and the schedule.
 */
export function seePipeline(pipeline: Pipeline): void {
  const { vae, textEncoders } = pipeline;
  for (const part of new Set([vae.encoder, vae.decoder, ...textEncoders.map((t) => t.model)])) {
    weightFilesOf(part);
    inputExists(configOf(part), 'model-data');
  }
  promptTokenizers(pipeline);
  pipelineSchedule(pipeline);
}

/** Finds the images that the data of an experiment name. @throws AuroraError 'data' if the data cannot be read */
async function seeImages(spec: Experiment): Promise<void> {
  await eachNamedImage(spec, ({ image }) => {
    if ('path' in image) statInput(image.path, useOf(image));
  });
}

/** @throws AuroraError 'data' if a file names images by absolute paths, which another machine does not have */
async function refuseAbsoluteImages(spec: Experiment): Promise<void> {
  await eachNamedImage(spec, ({ text, image }, table) => {
    if ('path' in image && isAbsolute(text))
      throw new AuroraError(
        'data',
        `${table} names images by absolute paths, such as ${text}, which the cluster does not have.`,
        'Write paths relative to the folder of that file.',
      );
  });
}

type NamedImage = Pick<ImageRow, 'text' | 'image'>;

/** Rows that cannot be used are the trainer's own to report. */
async function eachNamedImage(
  spec: Experiment,
  found: (row: NamedImage, table: string) => void,
): Promise<void> {
  const pictures = describeTask(spec.task.type).answer === 'picture';
  for (const data of dataFiles(spec.data)) {
    const captions = pictures ? captionsFile(data.train) : undefined;
    if (captions === undefined && !namesImages(data)) continue;
    const options = { ...data, onBadRow: 'skip' } as const;
    try {
      const rows =
        captions === undefined
          ? await readRows(data.train, options, format(data.train))
          : await readPictureRows(data.train, options);
      for (const row of rows.rows) found(row as NamedImage, captions ?? data.train);
    } catch (e) {
      if (!(e instanceof AuroraError && e.kind === 'emptyData')) throw e;
    }
  }
}

/** The data, with each of its files as that for training. */
function dataFiles(data: DataSpec): DataSpec[] {
  const { validation, classImages } = data;
  const others = [validation, classImages].flatMap((train) =>
    train === undefined ? [] : [{ ...data, train }],
  );
  return [
    data,
    ...others,
    ...evaluationSets(data).map((set) => ({ ...dataOfSet(data, set), train: set.path })),
  ];
}

/** Large Parquet files have the images themselves. */
const namesImages = ({ train, imageColumn }: DataSpec): boolean =>
  imageColumn !== undefined && !isFolder(train) && !(/\.parquet$/i.test(train) && isLarge(train));

const format = (path: string): RowFormat<ImageRow> => ({
  required: () => ['imageColumn'],
  rowOf(fields, { imageColumn }) {
    const image = imageField(path, fields, imageColumn!);
    return 'problem' in image ? image : { ...image, label: '' };
  },
});

/**
 * Every file that training an experiment reads, to train it on another machine. Some are links, as in the hub's cache.
 *
 * @returns absolute paths of files that exist
 * @throws AuroraError 'model', 'tokenizer' or 'data' if one of them cannot be read
 */
export async function filesRead(spec: Experiment): Promise<string[]> {
  await refuseAbsoluteImages(spec);
  const inputs = await plannedInputs(spec);
  const files = inputs.flatMap(({ path, images = [] }) => [
    ...(isFolder(path) ? filesBelow(path).map((name) => join(path, name)) : [resolve(path)]),
    ...images,
  ]);
  return [...new Set(files)].filter((path) => existsSync(path));
}
