import { endingsOf } from '../adapters/targets/endings';
import { likelyTargets, type NamedLayer } from '../adapters/targets/select';
import { own } from '../base/names';
import { writtenNumber } from '../base/number-text';
import { wrap } from '../base/wrap';
import schema from '../experiment/experiment.schema.json';
import { type AdapterSpec, isHeadAlone, isNonlinear, isReference } from '../experiment/methods';
import { metricInfo } from '../experiment/metrics';
import { PAPER_METRIC_LABELS, type PaperDataSet, type Recipe } from '../experiment/paper';
import type { TaskDescription } from '../experiment/tasks/kind';
import { PAPER_MODELS, type PaperModel } from './model-shapes';
import { PAPER } from './paper-data';
import { publishedScores } from './paper-report';

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

/** Maximum width of a comment, so that an editor shows all of it. */
const WIDTH = 86;

export const recipeModel = ({ model }: Recipe): PaperModel => PAPER_MODELS.find((m) => m.id === model)!;

/** A method as set by the recipe: the paper's rank, alpha and dropout, and its layers as far as this model has them. */
export function recipeAdapter(spec: AdapterSpec, recipe: Recipe, layers: readonly NamedLayer[]): AdapterSpec {
  if (isHeadAlone(spec)) return spec;
  const { targets, loraRank } = recipeModel(recipe);
  const names = endingsOf(layers).map((e) => e.name);
  const likely = likelyTargets(layers);
  const known = targets.every((t) => names.includes(t)) ? targets : likely;
  const own = {
    ...spec,
    targetModules: known.length > 0 ? [...known] : 'all-linear',
    ...('dropout' in spec && { dropout: recipe.settings.dropout ?? spec.dropout }),
  };
  if (isNonlinear(own)) return { ...own, rank: PAPER.rank, alpha: PAPER.alpha };
  // The paper gives no alpha for its LoRA: the default's scale is kept.
  if (isReference(own) && 'alpha' in own)
    return { ...own, rank: loraRank, alpha: (loraRank * own.alpha) / own.rank };
  return own;
}

/**
 * Comments above an experiment: the sources of its settings, and the paper's statements and gaps.
 *
 * @param open the parts of the recipe's `unsaid` that have this program's defaults
 * @param own a remark on parts that are not the paper's: "model and data are your own"
 */
export function recipeComments(
  recipe: Recipe,
  open: readonly string[] = recipe.unsaid,
  own = 'model and data are your own',
): string[] {
  const { name, targets, targetsAssumed, loraRank } = recipeModel(recipe);
  const adapted = targetsAssumed
    ? `The paper uses AuroRA with rank ${PAPER.rank} and alpha ${PAPER.alpha}.`
    : `The paper adapts ${targets.join(', ')}: AuroRA with rank ${PAPER.rank} and alpha ${PAPER.alpha}, LoRA with rank ${loraRank}.`;
  return [
    `Settings from the AuroRA paper (${PAPER.source}) for ${recipe.name} with ${name}; ${own}.`,
    ...published(recipe),
    adapted,
    ...(open.length > 0
      ? [`Not specified in the paper: ${open.join(', ')}. AuroRA Lab’s defaults are used.`]
      : []),
  ].flatMap(commentLines);
}

/** A sentence as comments that an editor shows as a whole. */
export const commentLines = (sentence: string): string[] => wrap(sentence, WIDTH).map((line) => `// ${line}`);

function published(recipe: Recipe): string[] {
  const { dataSets } = recipe;
  const { aurora: score, lora, full } = publishedScores(recipe);
  if (score === undefined) return [];
  const what =
    dataSets.length === 1
      ? PAPER_METRIC_LABELS[dataSets[0].metric]
      : `average accuracy on ${dataSets.length} tests`;
  return [
    `Published: ${what} ${score} with AuroRA, ${lora} with LoRA${full === undefined ? '' : `, ${full} with full fine-tuning`}.`,
    PAPER.baselines,
  ];
}

/**
 * The "training" section: the paper's values, and where it gives none the reader's choice, or a default marked as such.
 *
 * @param choices answers to the recipe's questions; without them, only the usual settings are written
 * @param batchSize the reader's; the paper's or the default if omitted
 */
export function recipeTraining(
  { settings, dataSets }: Recipe,
  task: TaskDescription,
  choices?: Choices,
  batchSize?: number,
): string[] {
  const stated = SETTINGS.filter((key) => settings[key] !== undefined);
  const lines = stated.flatMap((key) =>
    key === 'batchSize' && batchSize !== undefined
      ? [...changedComment(settings[key], batchSize), line(key, batchSize)]
      : [line(key, settings[key]!)],
  );
  const metric = dataSets.slice(0, 1).flatMap((d) => metricLines(d.metric, task));
  if (choices) return withoutLastComma([...lines, ...metric, ...chosenLines(choices)]);
  const needed = DEFAULTS.filter(([key]) => settings[key] === undefined).flatMap(([key, value]) =>
    key === 'batchSize' && batchSize !== undefined && batchSize !== value
      ? [choiceComment({ value: batchSize, by: 'user' }), line(key, batchSize)]
      : [UNSAID, line(key, value)],
  );
  return withoutLastComma([...lines, ...needed, ...metric, UNSAID, line('seed', 42)]);
}

/** Examples of a batch, by default. */
export const BATCH_SIZE = 32;

/** The comment above a value of the reader's that is not the paper's. */
export const changedComment = (paper: unknown, chosen: number): string[] =>
  paper === chosen ? [] : [`// Your choice; the paper’s is ${String(paper)}.`];

const UNSAID = choiceComment({ value: undefined, by: 'default' });
const SETTINGS = [
  'epochs',
  'batchSize',
  'learningRate',
  'headLearningRate',
  'schedule',
  'warmupRatio',
  'warmupSteps',
  'weightDecay',
] as const;
const DEFAULTS = [
  ['epochs', 3],
  ['batchSize', BATCH_SIZE],
  ['learningRate', 2e-3],
] as const;

/** The lines under one comment for each source of a choice. */
function chosenLines(choices: Choices): string[] {
  const lines = [...choices]
    .filter(([key]) => key.startsWith('training.'))
    .map(([key, choice]) => [choiceComment(choice), line(key.slice('training.'.length), choice.value)]);
  const comments = [...new Set(lines.map(([comment]) => comment))];
  return comments.flatMap((comment) => [
    comment,
    ...lines.filter(([above]) => above === comment).map(([, setting]) => setting),
  ]);
}

const line = (key: string, value: unknown) => `"${key}": ${json(value)},`;

/** The last line of an object. */
export const withoutLastComma = (lines: readonly string[]): string[] =>
  lines.with(-1, lines.at(-1)!.replace(/,$/, ''));

/** The paper's metric, or the default where the kind of task does not have it. */
function metricLines(metric: PaperDataSet['metric'], { metrics }: TaskDescription): string[] {
  const used = metrics.includes(metric) ? metric : metrics[0];
  const comment = `// The paper measures ${PAPER_METRIC_LABELS[metric]}; here, ${metricInfo(used).longLabel} is used.`;
  return [...(used === metric ? [] : [comment]), `"metric": ${json(used)},`];
}

const json = (value: unknown): string =>
  typeof value === 'number'
    ? writtenNumber(value)
    : Array.isArray(value)
      ? `[${value.map(json).join(', ')}]`
      : JSON.stringify(value);
