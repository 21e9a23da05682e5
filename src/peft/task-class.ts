import { own } from '../base/names';
import type { Experiment } from '../experiment/experiment';
import { describeTask } from '../experiment/tasks/registry';

/** A class of transformers whose head is a linear layer. */
export interface TaskClass {
  name: string;
  /** The path of that layer. */
  module: string;
}

/**
 * The prefix of the classes of a `model_type`, and the paths of the last layers of their heads, if they have a bias.
 */
interface Family {
  name: string;
  /** On every token. */
  tokens?: string;
  /** The class for texts or images. */
  whole?: string;
}

const FAMILIES: Readonly<Record<string, Family>> = {
  bert: { name: 'Bert', tokens: 'classifier', whole: 'classifier' },
  roberta: { name: 'Roberta', tokens: 'classifier', whole: 'classifier.out_proj' },
  'xlm-roberta': { name: 'XLMRoberta', tokens: 'classifier', whole: 'classifier.out_proj' },
  camembert: { name: 'Camembert', tokens: 'classifier', whole: 'classifier.out_proj' },
  electra: { name: 'Electra', tokens: 'classifier', whole: 'classifier.out_proj' },
  mpnet: { name: 'MPNet', tokens: 'classifier', whole: 'classifier.out_proj' },
  distilbert: { name: 'DistilBert', tokens: 'classifier', whole: 'classifier' },
  albert: { name: 'Albert', tokens: 'classifier', whole: 'classifier' },
  'deberta-v2': { name: 'DebertaV2', tokens: 'classifier', whole: 'classifier' },
  modernbert: { name: 'ModernBert', tokens: 'classifier', whole: 'classifier' },
  vit: { name: 'ViT', whole: 'classifier' },
  deit: { name: 'DeiT', whole: 'classifier' },
  dinov2: { name: 'Dinov2', whole: 'classifier' },
  dinov2_with_registers: { name: 'Dinov2WithRegisters', whole: 'classifier' },
  swin: { name: 'Swin', whole: 'classifier' },
  clip: { name: 'CLIP', whole: 'classifier' },
  llama: { name: 'Llama', tokens: 'score' },
  mistral: { name: 'Mistral', tokens: 'score' },
  ministral: { name: 'Ministral', tokens: 'score' },
  qwen2: { name: 'Qwen2', tokens: 'score' },
  qwen3: { name: 'Qwen3', tokens: 'score' },
  gemma: { name: 'Gemma', tokens: 'score' },
  gemma2: { name: 'Gemma2', tokens: 'score' },
  phi3: { name: 'Phi3', tokens: 'score' },
  smollm3: { name: 'SmolLM3', tokens: 'score' },
  starcoder2: { name: 'Starcoder2', tokens: 'score' },
  gpt_neox: { name: 'GPTNeoX', tokens: 'classifier' },
  gpt2: { name: 'GPT2', tokens: 'classifier' },
};

/** The input of image classifiers where it is one pooling of the last hidden state. */
const POOLING: ReadonlyMap<string, string> = new Map([
  ['vit', 'first-token'],
  ['deit', 'first-token'],
  ['swin', 'mean'],
]);

/**
 * The class of transformers that computes the same as a trained linear head. A new head on a text is that of BERT or
 * ALBERT if it reads the pooler (`model.output`): other heads have two layers, or read a decoder's last token. A
 * folder's own head is that of its class, if the class is for the task.
 *
 * @param config the model's config.json
 */
export function classOfLinearHead(
  config: Readonly<Record<string, unknown>>,
  { task, model }: Experiment,
): TaskClass | undefined {
  const type = String(config.model_type);
  const family = own(FAMILIES, type);
  if (task.head !== 'linear' || !family) return undefined;
  const { input, answer, modelClass } = describeTask(task.type);
  const isPooled = model.output === 'pooler_output';
  const module = answer === 'spans' ? family.tokens : family.whole;
  const isExact =
    task.headWeights === 'model'
      ? String(config.architectures).endsWith(modelClass)
      : input === 'image'
        ? task.pooling === POOLING.get(type) && !isPooled
        : answer === 'spans'
          ? !isPooled && type !== 'modernbert'
          : ['bert', 'albert'].includes(type) && isPooled;
  return isExact && module !== undefined ? { name: `${family.name}${modelClass}`, module } : undefined;
}
