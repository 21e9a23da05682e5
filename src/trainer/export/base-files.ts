import { copyFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { diskError, writeAtomic } from '../../files/atomic';
import { ownFile } from '../../files/contained';
import type { BaseModel } from '../peft/base-model';
import type { Task } from '../task/task';
import { describeTask } from '../../experiment/tasks/registry';

/** Hugging Face tokenizer files beside tokenizer.json. */
export const TOKENIZER_FILES: readonly string[] = ['tokenizer_config.json', 'special_tokens_map.json'];

/**
 * What an ONNX model needs to be used: its tokenizer, a config.json with the label names, and its license.
 *
 * @param named whether the labels belong to the model rather than to each adapter
 */
export function writeBaseFiles(folder: string, task: Task, base: BaseModel, named: boolean): void {
  const { tokenizer, path } = task.spec.model;
  copy(tokenizer, join(folder, 'tokenizer.json'));
  for (const name of TOKENIZER_FILES) copyIfBeside(dirname(tokenizer), name, folder);
  for (const name of base.license.files) copyIfBeside(dirname(path), name, folder);
  const config = configOf(task, base, named);
  writeAtomic(join(folder, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
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
function copyIfBeside(from: string, name: string, to: string): void {
  const path = ownFile(from, name);
  if (path !== undefined) copy(path, join(to, name));
}

function copy(from: string, to: string): void {
  try {
    copyFileSync(from, to);
  } catch (e) {
    throw diskError(to, e);
  }
}
