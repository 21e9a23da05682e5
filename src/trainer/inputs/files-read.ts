import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
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
  const beside = inputs
    .filter(isOfModel)
    .flatMap(({ path }) => BESIDE.map((name) => join(dirname(resolve(path)), name)));
  const images = await Promise.all(tablesOf(spec.data).map(imagesIn));
  return [...new Set([...named, ...beside, ...images.flat()])].filter((path) => existsSync(path));
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
