import { endingsOf } from '../adapters/targets/endings';
import { likelyTargets } from '../adapters/targets/likely-targets';
import type { NamedLayer } from '../adapters/targets/select';
import { PAPER_MODELS, type PaperModel } from './models';
import { PAPER } from './paper';
import { publishedScores } from './report';
import { type AdapterSpec, isHeadAlone, isNonlinear, isReference } from '../experiment/methods';
import { metricInfo } from '../experiment/metrics';
import { PAPER_METRIC_LABELS, settingText, type PaperDataSet, type Recipe } from '../experiment/paper';
import type { TaskDescription } from '../experiment/tasks/kind';
import { wrap } from '../base/wrap';

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

/** Comments above an experiment: where its settings come from, and what the paper does and does not say about them. */
export function recipeComments(recipe: Recipe): string[] {
  const { name, targets, targetsAssumed, loraRank } = recipeModel(recipe);
  const adapted = targetsAssumed
    ? `The paper uses AuroRA with rank ${PAPER.rank} and alpha ${PAPER.alpha}.`
    : `The paper adapts ${targets.join(', ')}: AuroRA with rank ${PAPER.rank} and alpha ${PAPER.alpha}, LoRA with rank ${loraRank}.`;
  return [
    `Settings from the AuroRA paper (${PAPER.source}) for ${recipe.name} with ${name}; model and data are your own.`,
    ...published(recipe),
    adapted,
    `Not specified in the paper: ${recipe.unsaid.join(', ')}. AuroRA Lab’s defaults are used.`,
  ].flatMap((sentence) => wrap(sentence, WIDTH).map((line) => `// ${line}`));
}

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

/** The "training" section: the paper's values, or a default marked as such if the paper gives none. */
export function recipeTraining({ settings, dataSets }: Recipe, task: TaskDescription): string[] {
  const { epochs, batchSize, learningRate, ...others } = settings;
  const line = (key: string, value: number | string) => `"${key}": ${json(value)},`;
  const needed = (key: string, value: number | undefined, otherwise: number) =>
    value === undefined ? [UNSAID, line(key, otherwise)] : [line(key, value)];
  const optional = OPTIONAL.flatMap((key) => (others[key] === undefined ? [] : [line(key, others[key])]));
  return [
    ...needed('epochs', epochs, 3),
    ...needed('batchSize', batchSize, 32),
    ...needed('learningRate', learningRate, 2e-3),
    ...optional,
    ...dataSets.slice(0, 1).flatMap(({ metric }) => metricLines(metric, task)),
    UNSAID,
    '"seed": 42',
  ];
}

const UNSAID = '// A default: the paper gives no value.';
const OPTIONAL = ['headLearningRate', 'schedule', 'warmupRatio', 'warmupSteps', 'weightDecay'] as const;

/** The paper's metric, or the default where the kind of task does not have it. */
function metricLines(metric: PaperDataSet['metric'], { metrics }: TaskDescription): string[] {
  const used = metrics.includes(metric) ? metric : metrics[0];
  const comment = `// The paper measures ${PAPER_METRIC_LABELS[metric]}; here, ${metricInfo(used).longLabel} is used.`;
  return [...(used === metric ? [] : [comment]), `"metric": ${json(used)},`];
}

const json = (value: number | string): string =>
  typeof value === 'number' ? settingText(value) : JSON.stringify(value);
