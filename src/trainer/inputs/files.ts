import { dirname, join, resolve } from 'node:path';
import { isFileRef, type Model } from '../../graph/model';
import type { InputRole } from '../../protocol/events';
import type { Experiment } from '../../experiment/experiment';

export interface InputPath {
  role: InputRole;
  path: string;
}

/** What an experiment reads, except its model's data files, which only the model names. */
export function inputPaths({ model, data }: Experiment): InputPath[] {
  const folder = dirname(model.tokenizer);
  return [
    { role: 'model', path: model.path },
    { role: 'tokenizer', path: model.tokenizer },
    // What tokenizer-files.ts reads beside it, if present.
    { role: 'tokenizer', path: join(folder, 'tokenizer_config.json') },
    { role: 'tokenizer', path: join(folder, 'config.json') },
    { role: 'train', path: data.train },
    ...(data.validation === undefined ? [] : [{ role: 'validation', path: data.validation } as const]),
  ];
}

/** The model's external weight files. */
export function modelDataPaths(spec: Experiment, { graph }: Model): InputPath[] {
  const own = resolve(spec.model.path);
  const paths = [...graph.initializers.values()].flatMap(({ data }) => (isFileRef(data) ? [data.path] : []));
  return [...new Set(paths)].filter((path) => path !== own).map((path) => ({ role: 'model-data', path }));
}
