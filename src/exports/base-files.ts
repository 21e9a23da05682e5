import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { writeAtomic } from '../files/atomic';
import { readTokenizerFiles } from '../data/text/tokenizer-files';
import { isVocabulary } from '../data/text/vocabulary-files/convert';
import { ownFile } from '../files/contained';
import type { BaseModel } from '../peft/base-model';
import type { Task } from '../training/task/task';
import { describeTask } from '../experiment/tasks/registry';

/** Hugging Face tokenizer files next to tokenizer.json. */
const TOKENIZER_CONFIG = 'tokenizer_config.json';
const TOKENIZER_FILES = [TOKENIZER_CONFIG, 'special_tokens_map.json'];
const TOKENIZER = 'tokenizer.json';
const PREPROCESSOR = 'preprocessor_config.json';

/** The names under which files of the base model are copied. */
export const BASE_NAMES: readonly string[] = ['config.json', TOKENIZER, ...TOKENIZER_FILES, PREPROCESSOR];

/**
 * Writes the files that an ONNX model needs to be used: those that prepare its inputs (a tokenizer, or the preprocessor
 * of images), a config.json with the label names, and its license.
 *
 * @param named true if the labels belong to the model rather than to each adapter
 */
export function writeBaseFiles(folder: string, task: Task, base: BaseModel, named: boolean): void {
  const { source } = task;
  const { tokenizer, preprocessor } = task.spec.model;
  // Whole models prepare a U-Net's inputs: they stay in the pipeline.
  if (source.kind === 'pipeline') copyIfBeside(dirname(source.unet.file), 'config.json', folder);
  else if (preprocessor !== undefined) copy(preprocessor, join(folder, PREPROCESSOR));
  else writeTokenizer(folder, tokenizer);
  for (const name of base.license.files) copyIfBeside(dirname(source.file), name, folder);
  if (source.kind === 'pipeline') return;
  const config = configOf(task, base, named);
  writeAtomic(join(folder, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
}

/** A tokenizer of older files becomes a tokenizer.json, which is all that most programs for ONNX models read. */
function writeTokenizer(folder: string, path: string): void {
  for (const name of TOKENIZER_FILES) copyIfBeside(dirname(path), name, folder);
  if (!isVocabulary(path)) return copy(path, join(folder, TOKENIZER));
  const { tokenizer, tokenizerConfig } = readTokenizerFiles(path);
  writeAtomic(join(folder, TOKENIZER), `${JSON.stringify(tokenizer)}\n`);
  writeAtomic(join(folder, TOKENIZER_CONFIG), `${JSON.stringify(tokenizerConfig, null, 2)}\n`);
}

/** The base's own config, as far as it still holds, without its author's local paths. */
function configOf(
  { spec, data, head }: Task,
  { config }: BaseModel,
  named: boolean,
): Record<string, unknown> {
  const untrue = [
    '_name_or_path',
    ...(named && data.labels.length > 0 ? ['num_labels'] : []),
    ...(named && head ? ['architectures'] : []),
  ];
  const known = Object.fromEntries(Object.entries(config).filter(([key]) => !untrue.includes(key)));
  if (!named) return known;
  const { labels } = data;
  // A language model's own outputs keep their meaning.
  if (labels.length === 0) return known;
  const { problemType } = describeTask(spec.task.type);
  return {
    ...known,
    ...(problemType !== undefined && { problem_type: problemType }),
    id2label: Object.fromEntries(labels.map((label, i) => [i, label])),
    label2id: Object.fromEntries(labels.map((label, i) => [label, i])),
  };
}

/** Skips symbolic links: files beside a model are passed on with its exports. */
export function copyIfBeside(from: string, name: string, to: string): void {
  const path = ownFile(from, name);
  if (path !== undefined) copy(path, join(to, name));
}

/** Whole, and flushed to the disk. */
export const copy = (from: string, to: string): void => writeAtomic(to, readFileSync(from));
