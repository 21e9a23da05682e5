import { dirname, join } from 'node:path';
import { writeAtomic } from '../../files/atomic';
import { describeTask } from '../../experiment/tasks/registry';
import type { BaseModel } from '../../peft/base-model';
import type { TaskClass } from '../../peft/config';
import type { Task } from '../../training/task/task';
import { copy, copyIfBeside } from '../base-files';

/** The files that transformers' tokenizers read. */
const TOKENIZER_FILES = [
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.txt',
  'vocab.json',
  'merges.txt',
  'tokenizer.model',
  'spiece.model',
  'spm.model',
  'sentencepiece.bpe.model',
  'chat_template.jinja',
];
const OTHER_FILES = ['generation_config.json', 'preprocessor_config.json'];

/** Everything of a folder from the hub but its weights. The config comes last: without it, nothing loads. */
export function writeHubFiles(folder: string, task: Task, base: BaseModel, change: ConfigChange): void {
  const { tokenizer, preprocessor, path } = task.spec.model;
  for (const name of [...OTHER_FILES, ...base.license.files]) copyIfBeside(dirname(path), name, folder);
  if (preprocessor !== undefined) copy(preprocessor, join(folder, 'preprocessor_config.json'));
  else {
    copy(tokenizer, join(folder, 'tokenizer.json'));
    for (const name of TOKENIZER_FILES) copyIfBeside(dirname(tokenizer), name, folder);
  }
  const config = configOf(task, base, change);
  writeAtomic(join(folder, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
}

export interface ConfigChange {
  /** The class that has the trained head. */
  headClass?: TaskClass;
  /** The folder's own head for labels was left out. */
  withoutHead: boolean;
}

type Config = Record<string, unknown>;

function configOf({ spec, data: { labels } }: Task, { config }: BaseModel, change: ConfigChange) {
  const { headClass, withoutHead } = change;
  // Its author's local path, and the settings that the head decides.
  const left = ['_name_or_path', ...(withoutHead ? LABEL_SETTINGS : [])];
  const known: Config = Object.fromEntries(Object.entries(config).filter(([key]) => !left.includes(key)));
  if (isOldGemma(known)) known.hidden_activation = known.hidden_act = 'gelu_pytorch_tanh';
  if (!headClass) return known;
  const { problemType } = describeTask(spec.task.type);
  return {
    ...known,
    architectures: [headClass.name],
    ...(problemType !== undefined && { problem_type: problemType }),
    // transformers derives num_labels from it.
    id2label: Object.fromEntries(labels.map((label, i) => [i, label])),
    label2id: Object.fromEntries(labels.map((label, i) => [label, i])),
  };
}

/** Its file names another GELU than the one it was trained with, and so do the numbers here (`families/decoders/gemma.ts`). */
const isOldGemma = ({ model_type: type, hidden_act: act, hidden_activation: activation }: Config): boolean =>
  type === 'gemma' && act === 'gelu' && (activation === undefined || activation === null);

const LABEL_SETTINGS = ['architectures', 'id2label', 'label2id', 'num_labels', 'problem_type'];
