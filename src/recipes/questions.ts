import { own } from '../base/names';
import type { Recipe } from '../experiment/paper';
import schema from '../experiment/experiment.schema.json';

/** A setting that the paper does not state: only the reader can choose it. */
export interface Question {
  /** The dotted key of an experiment. */
  key: string;
  /** The words for a choice that the paper leaves open: "weight decay". */
  words: string;
  /** This program's default, which is not the paper's value. */
  fallback: unknown;
}

/** An answer, the default that was accepted in place of one, or a value of someone else than the paper. */
export type Choice =
  { value: unknown; by: 'user' | 'default' } | { value: unknown; by: 'other'; source: string };

/** By key, in the order of the questions. */
export type Choices = ReadonlyMap<string, Choice>;

/** The settings behind the words of a recipe's `unsaid`; none where an experiment has no such setting. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  'maximum length': ['model.maxLength'],
  'batch size': ['training.batchSize'],
  'a separate learning rate for the classifier': ['training.headLearningRate'],
  'schedule after the warm-up': ['training.schedule'],
  'warm-up': ['training.warmupRatio'],
  'weight decay': ['training.weightDecay'],
  'AdamW’s betas and epsilon': ['training.betas', 'training.epsilon'],
  'gradient clipping': ['training.maxGradientNorm'],
  'the spline’s initial weights': [],
  seeds: ['training.seed'],
};

export function questionsOf(recipe: Recipe): Question[] {
  return Object.entries(KEYS)
    .filter(([words]) => recipe.unsaid.includes(words))
    .flatMap(([words, keys]) => keys.map((key) => ({ key, words, fallback: fallback(key, recipe) })));
}

/** For data that have no validation set of their own. */
export const SHARE: Question = {
  key: 'data.validationFraction',
  words: 'what is held out for validation',
  fallback: schema.properties.data.properties.validationFraction.default,
};

/** The comment above a value of an experiment, with the source of the choice. */
export const choiceComment = (choice: Choice): string =>
  ({
    user: '// Your choice: the paper gives no value.',
    default: '// A default: the paper gives no value.',
    other: `// ${'source' in choice ? choice.source : ''}; the paper gives no value.`,
  })[choice.by];

/** The choices that a recipe leaves open and no setting can express. */
export const unaskable = ({ unsaid }: Recipe): string[] =>
  unsaid.filter((words) => (own(KEYS, words) ?? []).length === 0);

function fallback(key: string, { settings }: Recipe): unknown {
  // It follows the adapters' rate unless it is set.
  if (key === 'training.headLearningRate') return settings.learningRate;
  const [section, name] = key.split('.') as ['model' | 'training', string];
  const { properties } = schema.properties[section];
  return own(properties as Record<string, { default?: unknown }>, name)?.default;
}
