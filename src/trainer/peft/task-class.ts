import type { Experiment } from '../../experiment/experiment';
import { describeTask } from '../../experiment/tasks/registry';

/** A class of transformers whose head is a linear layer. */
export interface TaskClass {
  name: string;
  /** The path of that layer. */
  module: string;
}

/** How the classes of a `model_type` begin, and the paths of the last layers of their heads, if they have a bias. */
interface Family {
  name: string;
  /** On every token. */
  tokens?: string;
  /** Of texts or images. */
  whole?: string;
}

const FAMILIES: Readonly<Record<string, Family>> = {
  bert: { name: 'Bert', tokens: 'classifier', whole: 'classifier' },
  roberta: { name: 'Roberta', tokens: 'classifier', whole: 'classifier.out_proj' },
  'xlm-roberta': { name: 'XLMRoberta', tokens: 'classifier', whole: 'classifier.out_proj' },
  distilbert: { name: 'DistilBert', tokens: 'classifier', whole: 'classifier' },
  vit: { name: 'ViT', whole: 'classifier' },
  llama: { name: 'Llama', tokens: 'score' },
  mistral: { name: 'Mistral', tokens: 'score' },
  qwen2: { name: 'Qwen2', tokens: 'score' },
  gpt2: { name: 'GPT2', tokens: 'classifier' },
};

/**
 * The class of transformers that computes what a trained linear head computes. A new head on a text is BERT's if it
 * reads the pooler (`model.output`): other heads have two layers, or read a decoder's last token.
 *
 * @param type `model_type` of the model's config.json
 */
export function classOfLinearHead(type: string, { task, model }: Experiment): TaskClass | undefined {
  const family = FAMILIES[type];
  if (task.head !== 'linear' || !family) return undefined;
  const { input, answer, modelClass } = describeTask(task.type);
  const isPooled = model.output === 'pooler_output';
  const module = answer === 'spans' ? family.tokens : family.whole;
  const isExact =
    task.headWeights === 'model' ||
    (input === 'image'
      ? type === 'vit' && task.pooling === 'first-token'
      : answer === 'spans'
        ? !isPooled
        : type === 'bert' && isPooled);
  return isExact && module !== undefined ? { name: `${family.name}${modelClass}`, module } : undefined;
}
