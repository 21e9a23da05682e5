import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { readStructure } from '../../architectures/load';
import { AuroraError } from '../../base/errors';
import { imageField } from '../../data/table/image-rows';
import { readRows, type Row, type RowFormat } from '../../data/table/rows';
import { isLarge } from '../../data/stream/open';
import { dataOfSet, evaluationSets } from '../../experiment/evaluation-sets';
import type { DataSpec, Experiment } from '../../experiment/experiment';
import { filesBelow, isFolder } from '../../files/tree';
import { inputPaths, modelDataPaths, type InputPath } from './files';

/** Small files that a model, a tokenizer or a pipeline's component may have beside it. */
const BESIDE = [
  'config.json',
  'preprocessor_config.json',
  'tokenizer_config.json',
  'chat_template.jinja',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.json',
  'merges.txt',
];

/**
 * Every file that training an experiment reads, to train it on another machine: those that its inputs name, what stands
 * beside them, and the images that a table names. Some are links, as in the hub's cache.
 *
 * @returns absolute paths of files that exist
 * @throws AuroraError 'model' or 'data' if the model or a table of images cannot be read
 */
export async function filesRead(spec: Experiment): Promise<string[]> {
  const inputs = [...inputPaths(spec), ...modelDataPaths(spec, readStructure(spec.model.path))];
  const named = inputs.flatMap(({ path }) =>
    isFolder(path) ? filesBelow(path).map((name) => join(path, name)) : [resolve(path)],
  );
  const folders = [...new Set(inputs.filter(isOfModel).map(({ path }) => dirname(resolve(path))))];
  const beside = folders.flatMap((folder) => BESIDE.map((name) => join(folder, name)));
  const read = new Set(named);
  const links = folders.flatMap(linksIn).filter(([, real]) => read.has(real));
  const images = await Promise.all(tablesOf(spec.data).map(imagesIn));
  return [...new Set([...named, ...links.map(([link]) => link), ...beside, ...images.flat()])].filter(
    (path) => existsSync(path),
  );
}

/** In the hub's cache, a model's weights are known by the files that its names lead to. */
function linksIn(folder: string): [link: string, real: string][] {
  const entries = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isSymbolicLink());
  return entries.flatMap(({ name }): [string, string][] => {
    const link = join(folder, name);
    return existsSync(link) ? [[link, realpathSync(link)]] : [];
  });
}

const isOfModel = ({ role }: InputPath): boolean =>
  role === 'model' || role === 'model-data' || role === 'tokenizer' || role === 'preprocessor';

/** The data with each of the files that may name images, as training file. */
function tablesOf(data: DataSpec): DataSpec[] {
  const { validation } = data;
  const sets = evaluationSets(data).map((set) => ({ ...dataOfSet(data, set), train: set.path }));
  const all = [data, ...(validation === undefined ? [] : [{ ...data, train: validation }]), ...sets];
  return all.filter(
    // Large Parquet files have the images themselves.
    ({ train, imageColumn }) =>
      imageColumn !== undefined && !isFolder(train) && !(/\.parquet$/i.test(train) && isLarge(train)),
  );
}

/** Rows that cannot be used are the trial's own to report. */
async function imagesIn(data: DataSpec): Promise<string[]> {
  const format: RowFormat<Row & { file: string }> = {
    required: () => ['imageColumn'],
    rowOf(fields, { imageColumn }) {
      const found = imageField(data.train, fields, imageColumn!);
      if ('problem' in found) return found;
      if ('path' in found.image && isAbsolute(found.text)) throw absoluteImage(data.train, found.text);
      return { text: '', label: '', file: 'path' in found.image ? found.image.path : '' };
    },
  };
  try {
    const { rows } = await readRows(data.train, { ...data, onBadRow: 'skip' }, format);
    return Array.from(rows, ({ file }) => file).filter((file) => file !== '');
  } catch (e) {
    if (e instanceof AuroraError && e.kind === 'emptyData') return [];
    throw e;
  }
}

const absoluteImage = (table: string, image: string): AuroraError =>
  new AuroraError(
    'data',
    `${table} names images by absolute paths, such as ${image}, which the cluster does not have.`,
    'Write paths relative to the folder of that file.',
  );
