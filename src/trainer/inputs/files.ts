import { dirname, join, resolve } from 'node:path';
import { weightFilesOf } from '../../architectures/load';
import { isHubModel, isPipeline } from '../../files/model-path';
import { isFileRef, type Model } from '../../graph/model';
import { evaluationSets } from '../../experiment/evaluation-sets';
import { matchedBy } from '../../files/pattern';
import type { InputRole } from '../../protocol/events';
import type { InputFile } from '../../runs/inputs';
import type { DataSpec, Experiment } from '../../experiment/experiment';
import { pipelineFiles } from './pipeline-files';

export type InputPath = Pick<InputFile, 'role' | 'path' | 'pattern'>;

/** What an experiment reads, except its model's data files, which only the model names. */
export function inputPaths({ model, data }: Experiment): InputPath[] {
  if (isPipeline(model.path))
    return [{ role: 'model', path: model.path }, ...pipelineFiles(model.path), ...dataPaths(data)];
  // A folder's config.json is its model file, and beside the tokenizer too.
  const readers = readerPaths(model).filter(({ path }) => path !== model.path);
  return [{ role: 'model', path: model.path }, ...readers, ...dataPaths(data)];
}

/** Every file of the data, also of patterns. One that has several roles has the first of them. */
function dataPaths(data: DataSpec): InputPath[] {
  const named: InputPath[] = [
    { role: 'train', path: data.train },
    ...(data.classImages === undefined ? [] : [{ role: 'train', path: data.classImages } as const]),
    ...(data.validation === undefined ? [] : [{ role: 'validation', path: data.validation } as const]),
    ...scoredPaths(data),
  ];
  const paths = new Map<string, InputPath>();
  for (const { role, path } of named)
    for (const file of matchedBy(path))
      if (!paths.has(file)) paths.set(file, { role, path: file, ...(file !== path && { pattern: path }) });
  return [...paths.values()];
}

/** A file that is also trained or validated on is that before all. */
function scoredPaths(data: DataSpec): InputPath[] {
  const roles = new Map<string, InputRole>();
  for (const { name, path } of evaluationSets(data))
    if (path !== data.train && path !== data.validation && !roles.has(path))
      roles.set(path, name === undefined ? 'test' : 'evaluation');
  return [...roles].map(([path, role]) => ({ role, path }));
}

/** What says how texts or images become the model's input. */
function readerPaths({ tokenizer, preprocessor }: Experiment['model']): InputPath[] {
  if (preprocessor !== undefined) return [{ role: 'preprocessor', path: preprocessor }];
  const folder = dirname(tokenizer);
  // What tokenizer-files.ts reads beside it, if present.
  const beside = ['tokenizer_config.json', 'config.json'].map((name) => join(folder, name));
  return [tokenizer, ...beside].map((path) => ({ role: 'tokenizer', path }));
}

/** The files of the model's weights, if they are outside of the model file. Of converted weights, those they come from. */
export function modelDataPaths(spec: Experiment, { graph }: Model): InputPath[] {
  if (isHubModel(spec.model.path))
    return weightFilesOf(spec.model.path).map((path) => ({ role: 'model-data', path }));
  const own = resolve(spec.model.path);
  const paths = [...graph.initializers.values()].flatMap(({ data }) => (isFileRef(data) ? [data.path] : []));
  return [...new Set(paths)].filter((path) => path !== own).map((path) => ({ role: 'model-data', path }));
}
