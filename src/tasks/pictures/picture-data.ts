import { dirname, join } from 'node:path';
import { splitRows } from '../../data/split';
import { imageProblem } from '../../data/images/source';
import { pictureOf, thumbnailOf } from '../../data/images/shown-image';
import { refuseBadRows } from '../../data/table/bad-rows';
import { captionsFile, readPictureRows, type PictureRow } from '../../data/table/image-rows';
import { requireRows, type Rows } from '../../data/table/rows';
import { imageKeys } from '../../data/image-keys';
import type { List } from '../../data/list';
import type { Experiment } from '../../experiment/experiment';
import { identify } from '../../files/identity';
import type { Model } from '../../graph/model';
import { loadPromptTokenizer, type PromptTokenizer } from '../../data/text/prompt-tokenizer';
import { shownText } from '../text/shown-text';
import { readNoiseSchedule } from '../diffusion/noise-schedule';
import { modelInputs, skippedWarning, validationPlace, type DataReader } from '../task-data';
import {
  noisyInputs,
  type Noising,
  type PictureData,
  type PictureExample,
  type PictureSplit,
} from './picture-example';

/** Timesteps at which each validation image is measured, evenly spread. */
const MEASURED = 8;

/** In pixels, unless task.resolution says otherwise. */
const RESOLUTION = 512;
const SDXL_RESOLUTION = 1024;

/** The positions of CLIP's text encoders, in tokens. */
const POSITIONS = 77;

/** The input that only U-Nets of the SDXL kind have. */
const SIZES = 'time_ids';

const scheduleFile = ({ path }: Experiment['model']): string =>
  join(dirname(path), 'scheduler', 'scheduler_config.json');

function noisingOf({ model, task, training }: Experiment): Noising {
  const { predictionType, alphasCumprod } = readNoiseSchedule(scheduleFile(model));
  return {
    seed: training.seed,
    schedule: { predictionType, alphasCumprod },
    noiseOffset: task.noiseOffset ?? 0,
    snrGamma: task.snrGamma,
    priorWeight: task.priorWeight ?? 1,
  };
}

/** The middles of equal parts of the schedule. */
function measuredTimesteps({ schedule: { alphasCumprod } }: Noising): number[] {
  const count = Math.min(MEASURED, alphasCumprod.length);
  return Array.from({ length: count }, (_, k) => Math.floor(((k + 0.5) / count) * alphasCumprod.length));
}

/** @param timesteps of each image; none in training */
function splitOf(
  path: string,
  { rows, skipped, parts }: Rows<PictureRow>,
  noising: Noising,
  timesteps?: readonly number[],
): PictureSplit {
  const examples = Array.from(rows, ({ image, prompt }, row): PictureExample[] => {
    const example = { size: 1, row, source: image, prompt, noising };
    return timesteps ? timesteps.map((timestep) => ({ ...example, timestep })) : [example];
  }).flat();
  return { path, rows, dataset: { examples, truncatedCount: 0, skipped }, skipped, parts };
}

const noRows = (path: string): PictureSplit => ({
  path,
  rows: [],
  dataset: { examples: [], truncatedCount: 0, skipped: [] },
  skipped: [],
});

/** The tokenizer of the first text encoder; loaded once, when it is first needed. */
function promptTokenizer({ path }: Experiment['model']): () => PromptTokenizer {
  let loaded: PromptTokenizer | undefined;
  return () => (loaded ??= loadPromptTokenizer(join(dirname(path), 'tokenizer'), POSITIONS));
}

function withoutRows({ data, model: named, task }: Experiment, model: Model): PictureData {
  const isXl = modelInputs(model).some(({ name }) => name === SIZES);
  return {
    train: noRows(data.train),
    validation: noRows(data.validation ?? data.train),
    labels: [],
    assumed: [],
    warnings: [],
    resolution: task.resolution ?? (isXl ? SDXL_RESOLUTION : RESOLUTION),
    centerCrop: task.centerCrop ?? true,
    promptTokenizer: promptTokenizer(named),
  };
}

/** The place of a path's rows: those of a folder may be the lines of a file in it. */
const placeOf = (path: string, prompt: string | undefined): string =>
  (prompt === undefined && captionsFile(path)) || path;

/** The rows whose images look whole, so that a split holds out a share of those. */
async function readRows(
  path: string,
  { data, task }: Experiment,
  prompt = task.instancePrompt,
): Promise<Rows<PictureRow>> {
  const read = await readPictureRows(path, data, prompt);
  const skipped = [...read.skipped];
  const rows = read.rows.filter(({ image, line }) => {
    const reason = imageProblem(image);
    if (reason !== undefined) skipped.push({ line, reason, ofImage: true });
    return reason === undefined;
  });
  const place = placeOf(path, prompt);
  refuseBadRows(place, skipped, data.onBadRow, read.parts);
  requireRows(place, rows.length, skipped, read.parts);
  return { ...read, rows, skipped };
}

async function readClassImages(spec: Experiment, noising: Noising): Promise<PictureSplit | undefined> {
  const { classImages: path } = spec.data;
  return path === undefined
    ? undefined
    : splitOf(path, await readRows(path, spec, spec.task.classPrompt!), noising);
}

/** Rows that are held out, or the training rows themselves for data.validationFraction 0. */
function validationRows(spec: Experiment, rows: Rows<PictureRow>) {
  const { train, validationFraction } = spec.data;
  if (validationFraction === 0) return { train: rows.rows, validation: rows.rows };
  return splitRows(train, rows.rows, validationFraction, spec.training.seed, () => '');
}

/** The data of an experiment, or of a run without a validation file. */
async function loadAll(spec: Experiment, model: Model): Promise<PictureData> {
  const { data } = spec;
  const noising = noisingOf(spec);
  const read = await readRows(data.train, spec);
  const rows =
    data.validation === undefined ? validationRows(spec, read) : { train: read.rows, validation: undefined };
  const { instancePrompt: prompt } = spec.task;
  const train = splitOf(placeOf(data.train, prompt), { ...read, rows: rows.train }, noising);
  const others = await readClassImages(spec, noising);
  if (others) for (const example of train.dataset.examples) example.classImages = others.dataset.examples;
  const path = data.validation ?? data.train;
  const validated = rows.validation
    ? { ...read, rows: rows.validation, skipped: [] }
    : await readRows(path, spec);
  const timesteps = measuredTimesteps(noising);
  const validation = splitOf(placeOf(path, prompt), validated, noising, timesteps);
  return {
    ...withoutRows(spec, model),
    train,
    validation,
    warnings: skippedWarning([
      train,
      ...(data.validation === undefined ? [] : [validation]),
      ...(others ? [others] : []),
    ]),
  };
}

/** Images with prompts, and how noise is added to them. The pipeline's encoders run later, in the trainer. */
export const pictureReader: DataReader<PictureExample, PictureData> = {
  load: loadAll,
  async loadValidation(spec, model) {
    const { data, task } = spec;
    if (data.validation === undefined) {
      return { ...(await loadAll(spec, model)), train: noRows(data.train) };
    }
    const noising = noisingOf(spec);
    const rows = await readRows(data.validation, spec);
    const path = placeOf(data.validation, task.instancePrompt);
    const validation = splitOf(path, rows, noising, measuredTimesteps(noising));
    return { ...withoutRows(spec, model), validation, warnings: skippedWarning([validation]) };
  },
  withoutRows: (spec, model) => Promise.resolve(withoutRows(spec, model)),
  async samples(spec) {
    const { validation, train } = spec.data;
    const read = await readRows(validation ?? train, spec);
    const rows = validation === undefined ? validationRows(spec, read).validation : read.rows;
    return Array.from(rows as List<PictureRow>, ({ prompt, line }) => ({
      text: prompt,
      label: '',
      ...validationPlace(spec, line, read.parts),
    }));
  },
  inputs: ({ examples }, indices, wanted, _, pass) =>
    noisyInputs(
      indices.map((i) => examples.at(i)!),
      wanted,
      pass,
    ),
  thumbnail: ({ source }) => thumbnailOf(source),
  inputKeys: (lists) => imageKeys(lists as readonly List<PictureRow>[]),
  // Noise differs between epochs.
  varies: () => true,
  async shown({ resolution, promptTokenizer }, { rows, dataset }, index) {
    const { row, source, prompt, timestep } = dataset.examples[index]!;
    const { text, line } = rows.at(row) as PictureRow;
    const side = { width: resolution, height: resolution };
    const picture = await pictureOf(source, {
      resample: 'bilinear',
      resize: { shortestEdge: resolution },
      crop: side,
    });
    const name = timestep === undefined ? text : `${text}, timestep ${timestep}`;
    const { tokenizer, length } = promptTokenizer();
    // Without the padding up to that length.
    const ids = Int32Array.from(tokenizer.encode(prompt, length).ids);
    return {
      ...shownText({ line, label: prompt, text: prompt }, { ids }, tokenizer),
      image: { name, ...side, picture },
    };
  },
  hashInputs({ examples }, hash) {
    for (const { source, prompt } of examples) {
      hash.update(`,${JSON.stringify(prompt)}`);
      if ('bytes' in source) hash.update(`,${source.bytes.length}`).update(source.bytes);
      else if ('path' in source) hash.update(`,${source.path} ${JSON.stringify(identify(source.path))}`);
    }
  },
};
