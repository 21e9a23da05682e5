import type { Experiment } from '../../experiment/experiment';
import { describeTask } from '../../experiment/tasks/registry';

/** A class of transformers whose head is a linear layer. */
export interface TaskClass {
  name: string;
  /** The path of that layer. */
  module: string;
}

/** How the classes of a `model_type` begin, and the path of their head on every token. */
const FAMILIES: Readonly<Record<string, readonly [name: string, tokens?: string]>> = {
  bert: ['Bert', 'classifier'],
  roberta: ['Roberta', 'classifier'],
  'xlm-roberta': ['XLMRoberta', 'classifier'],
  distilbert: ['DistilBert', 'classifier'],
  vit: ['ViT'],
  llama: ['Llama', 'score'],
  mistral: ['Mistral', 'score'],
  qwen2: ['Qwen2', 'score'],
  gpt2: ['GPT2', 'classifier'],
};

/**
 * The class of transformers that computes what a trained linear head computes. For texts, it is BERT's with its pooler
 * (`model.output`): other heads have two layers, or read a decoder's last token.
 *
 * @param type `model_type` of the model's config.json
 */
export function classOfLinearHead(type: string, { task, model }: Experiment): TaskClass | undefined {
  const [name, tokens] = FAMILIES[type] ?? [];
  if (task.head !== 'linear') return undefined;
  const { input, answer, modelClass } = describeTask(task.type);
  const isPooled = model.output === 'pooler_output';
  const isExact =
    input === 'image'
      ? type === 'vit' && task.pooling === 'first-token'
      : answer === 'spans'
        ? tokens !== undefined && !isPooled
        : type === 'bert' && isPooled;
  return isExact ? { name: `${name}${modelClass}`, module: tokens ?? 'classifier' } : undefined;
}
