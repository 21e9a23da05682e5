import { copyFileSync, existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { diskError, writeAtomic } from '../../graph/files';
import type { BaseModel } from '../base-model';
import type { Task } from '../task';

/** Of Hugging Face's tokenizers, beside tokenizer.json. */
const TOKENIZER_FILES = ['tokenizer_config.json', 'special_tokens_map.json'];

/**
 * What an ONNX model needs to be used: its tokenizer, a config.json that names the labels, and its licence.
 *
 * @param named whether the labels are of the model, and not of each adapter
 */
export function writeBaseFiles(folder: string, { spec, data }: Task, base: BaseModel, named: boolean): void {
  const { tokenizer, path } = spec.model;
  copy(tokenizer, join(folder, 'tokenizer.json'));
  for (const name of TOKENIZER_FILES) copyIfThere(join(dirname(tokenizer), name), join(folder, name));
  for (const name of base.license.files) copyIfThere(join(dirname(path), name), join(folder, name));
  const { labels } = data;
  const config = {
    ...base.config,
    ...(named && {
      id2label: Object.fromEntries(labels.map((label, i) => [i, label])),
      label2id: Object.fromEntries(labels.map((label, i) => [label, i])),
    }),
  };
  writeAtomic(join(folder, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
}

function copyIfThere(from: string, to: string): void {
  if (existsSync(from)) copy(from, to);
}

function copy(from: string, to: string): void {
  try {
    copyFileSync(from, to);
  } catch (e) {
    throw diskError(to, e);
  }
}
