import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { chatTemplateSource } from '../../data/text/chat';
import { content } from '../../data/text/special-tokens';
import { loadTokenizer } from '../../data/text/tokenizer';
import { readTokenizerFiles } from '../../data/text/tokenizer-files';
import { writeAtomic } from '../../files/atomic';
import { ownFile } from '../../files/contained';
import type { BaseModel } from '../../peft/base-model';
import type { Task } from '../../training/task/task';
import { recognizeChat } from './chat-formats';
import { ADAPTER_FILE, MODEL_FILE, MODELFILE } from './file-names';

/**
 * The Modelfile with which Ollama imports a model: https://github.com/ollama/ollama/blob/main/docs/modelfile.md
 *
 * @param folder of the GGUF file
 */
export function writeModelfile(folder: string, { spec }: Task): void {
  const lines = [
    '# For Ollama: ollama create NAME -f Modelfile',
    `FROM ./${MODEL_FILE}`,
    ...chatLines(spec.model.tokenizer),
    ...parameterLines(spec.model.path),
  ];
  writeAtomic(join(folder, MODELFILE), `${lines.join('\n')}\n`);
}

/** The Modelfile of an adapter, for which its user adds the base model. */
export function writeAdapterModelfile(folder: string, { spec }: Task, base: BaseModel): void {
  const lines = [
    '# For Ollama: ollama create NAME -f Modelfile',
    `# FROM names the model that the adapter was trained on, ${base.name}: a GGUF file of it, or its name in Ollama.`,
    'FROM ./base.gguf',
    `ADAPTER ./${ADAPTER_FILE}`,
    ...chatLines(spec.model.tokenizer),
    ...parameterLines(spec.model.path),
  ];
  writeAtomic(join(folder, MODELFILE), `${lines.join('\n')}\n`);
}

/** Between three quotes, the only strings in a Modelfile that may have several lines. */
const quoted = (text: string): string => `"""${text}"""`;
const canQuote = (text: string): boolean => !text.includes('"""');

/** TEMPLATE, SYSTEM and stop words, if the model's chat template is one that Ollama's can be written for. */
function chatLines(tokenizer: string): string[] {
  const files = readTokenizerFiles(tokenizer);
  if (chatTemplateSource(files) === undefined)
    return [
      '# The model has no chat template: prompts reach it as they are.',
      `TEMPLATE ${quoted('{{ .Prompt }}')}`,
    ];
  const { chat } = loadTokenizer(tokenizer);
  const found = chat && recognizeChat(chat, content(files.tokenizerConfig.bos_token) ?? '');
  if (!found)
    return [
      '# No TEMPLATE: the model’s chat template is not one of the known formats. Ollama reads it from the GGUF file, and looks',
      '# for the nearest one that it knows.',
    ];
  const { format, system } = found;
  return [
    `# The model’s chat template, in the format of ${format.name}.`,
    `TEMPLATE ${quoted(format.template)}`,
    ...(system !== undefined && canQuote(system) ? [`SYSTEM ${quoted(system)}`] : []),
    ...format.stop.map((text) => `PARAMETER stop ${JSON.stringify(text)}`),
  ];
}

/** Settings of generation_config.json, by their names there, with Ollama's. */
const PARAMETERS = [
  ['temperature', 'temperature'],
  ['top_k', 'top_k'],
  ['top_p', 'top_p'],
  ['min_p', 'min_p'],
  ['repetition_penalty', 'repeat_penalty'],
] as const;

/** The model's own settings for drawing tokens, if it is meant to draw them. */
function parameterLines(model: string): string[] {
  const settings = generationSettings(dirname(model));
  if (settings.do_sample !== true) return [];
  return PARAMETERS.flatMap(([key, name]) => {
    const value = settings[key];
    return typeof value === 'number' && Number.isFinite(value) ? [`PARAMETER ${name} ${value}`] : [];
  });
}

/** Empty if there is no such file, or it cannot be read: no model needs it. */
function generationSettings(folder: string): Record<string, unknown> {
  const path = ownFile(folder, 'generation_config.json');
  if (path === undefined) return {};
  try {
    return (JSON.parse(readFileSync(path, 'utf8')) ?? {}) as Record<string, unknown>;
  } catch {
    return {};
  }
}
