import { dirname, join } from 'node:path';
import { folderWeights, loadModelFrom } from '../architectures/load';
import { readConfig } from '../architectures/folder/config';
import { quantizationOf } from '../architectures/folder/few-bits/quantization';
import { modelSource } from '../architectures/model-source';
import { AuroraError } from '../base/errors';
import { isVocabulary } from '../data/text/vocabulary-files/convert';
import { describeTask } from '../experiment/tasks/registry';
import { writeAtomic } from '../files/atomic';
import { prepareModel } from '../graph/prepare';
import { baseModel, type BaseModel } from '../peft/base-model';
import { classOfLinearHead, type TaskClass } from '../peft/adapter-config';
import type { ExportForm } from '../protocol/export';
import { measureTask } from '../training/measure';
import type { Task } from '../training/task/task';
import { copy, copyIfBeside } from './base-files';
import type { Form } from './export-forms';
import {
  ChangedWeights,
  HEAD_FILE,
  headTensors,
  isLabelHead,
  readHead,
  writeHead,
  writeWeights,
} from './hub-weights';

/** A folder from the hub with W₀ + ΔW for W₀, as transformers loads it. */
export const hubFolder: Form = {
  check({ task }) {
    const { spec } = task;
    requireUnquantized(task);
    const { config } = baseModel(spec.model.path);
    if (spec.task.headWeights === 'model' && !classOfLinearHead(config, spec))
      throw noClass(config, spec.model.path);
  },

  write({ task, parameters }, folder) {
    const { spec, source, head } = task;
    const weights = folderWeights(source.file);
    const changed = new ChangedWeights(task, parameters, weights.places);
    const base = baseModel(spec.model.path);
    const headClass = classOfLinearHead(base.config, spec);
    const withoutHead = head !== undefined;
    const inModel = headClass && {
      tensors: headTensors(task, parameters, headClass),
      prefix: weights.taskPrefix,
    };
    const isReplaced = (name: string) =>
      spec.task.headWeights === 'model' && headClass
        ? name.startsWith(`${headClass.module}.`)
        : withoutHead && isLabelHead(name);
    writeWeights(folder, weights, changed, isReplaced, inModel);
    if (head && !headClass) writeHead(folder, task, parameters);
    writeHubFiles(folder, task, base, {
      withoutHead,
      headClass,
    });
    const { rounding } = changed;
    return {
      rounding,
      ...(head && { head: headClass?.name ?? HEAD_FILE }),
    };
  },

  measure({ task }, folder, work) {
    const headClass = classOfLinearHead(baseModel(task.spec.model.path).config, task.spec);
    const model = prepareModel(loadModelFrom(modelSource(folder), 'float32', join(work, 'weights')));
    const read: Task = { ...task, model, adapters: [], graph: { ...task.graph, adapters: [] } };
    return measureTask(read, readHead(folder, task, headClass?.module), work);
  },
};

const noClass = ({ architectures }: Record<string, unknown>, path: string): AuroraError =>
  new AuroraError(
    'model',
    `The head that was trained further is that of ${String(architectures)} in ${path}, and this class of transformers does not compute the same: it has no bias, or is for another task.`,
    'Export with --as onnx-merged.',
  );

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
function writeHubFiles(folder: string, task: Task, base: BaseModel, change: ConfigChange): void {
  const { tokenizer, preprocessor, path } = task.spec.model;
  for (const name of [...OTHER_FILES, ...base.license.files]) copyIfBeside(dirname(path), name, folder);
  if (preprocessor !== undefined) copy(preprocessor, join(folder, 'preprocessor_config.json'));
  else {
    if (!isVocabulary(tokenizer)) copy(tokenizer, join(folder, 'tokenizer.json'));
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

/**
 * @param instead the forms that can be written
 * @throws AuroraError 'usage' for adapters that were trained on quantized weights
 */
export function requireUnquantized(
  { spec, source }: Task,
  form: ExportForm = 'safetensors',
  instead = 'onnx-merged or onnx-dynamic',
): void {
  const { path, quantize } = spec.model;
  const parts =
    source.kind === 'pipeline' ? [source.unet, ...source.textEncoders.map((e) => e.model)] : [source];
  const published = parts.find(({ kind, file }) => kind === 'hub' && quantizationOf(readConfig(file)));
  if (published)
    throw new AuroraError(
      'usage',
      `The weights of ${dirname(published.file)} are in few bits (quantization_config), and --as ${form} writes weights in floats.`,
      `Export with --as ${instead}.`,
    );
  if (quantize)
    throw new AuroraError(
      'usage',
      `The adapters were trained on ${path} in ${quantize} bits (model.quantize), and --as ${form} writes its own weights.`,
      `Export with --as ${instead}.`,
    );
}
