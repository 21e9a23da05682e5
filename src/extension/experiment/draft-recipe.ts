import { endingsOf } from '../../adapters/budget-endings';
import { likelyTargets } from '../../adapters/likely-targets';
import type { NamedLayer } from '../../adapters/select';
import { PAPER_MODELS, type PaperModel } from '../../recipes/models';
import { PAPER } from '../../recipes/paper';
import { publishedScore } from '../../recipes/report';
import type { AdapterSpec } from '../../shared/experiment';
import { settingText, type Recipe } from '../../shared/paper';
import { wrap } from '../../shared/wrap';

/** Of a comment's text, so that an editor shows it whole. */
const WIDTH = 110;
const METRIC_WORDS = {
  accuracy: 'accuracy',
  matthews: 'Matthews correlation',
  pearson: 'Pearson correlation',
};

export const recipeModel = ({ model }: Recipe): PaperModel => PAPER_MODELS.find((m) => m.id === model)!;

/** A method as the recipe has it: the paper's rank, alpha and dropout, and its layers as far as this model has them. */
export function recipeAdapter(spec: AdapterSpec, recipe: Recipe, layers: readonly NamedLayer[]): AdapterSpec {
  if (spec.method === 'none') return spec;
  const { targets, loraRank } = recipeModel(recipe);
  const names = endingsOf(layers).map((e) => e.name);
  const likely = likelyTargets(layers);
  const known = targets.every((t) => names.includes(t)) ? targets : likely;
  const own = {
    ...spec,
    targetModules: known.length > 0 ? [...known] : 'all-linear',
    dropout: recipe.settings.dropout ?? spec.dropout,
  };
  if (own.method === 'aurora') return { ...own, rank: PAPER.rank, alpha: PAPER.alpha };
  // The paper gives no alpha for its LoRA: the default's scale stays.
  if (own.method === 'lora') return { ...own, rank: loraRank, alpha: (loraRank * own.alpha) / own.rank };
  return own;
}

/** Comments above an experiment: where its settings come from, and what the paper has and has not to say of them. */
export function recipeComments(recipe: Recipe): string[] {
  const { name, targets, targetsAssumed, loraRank } = recipeModel(recipe);
  const adapted = targetsAssumed
    ? `AuroRA has rank ${PAPER.rank} and alpha ${PAPER.alpha} there.`
    : `There AuroRA adapts ${targets.join(', ')} with rank ${PAPER.rank} and alpha ${PAPER.alpha}, LoRA with rank ${loraRank}.`;
  return [
    `Settings of the AuroRA paper (${PAPER.source}) for ${recipe.name} with ${name}; model and data are your own.`,
    ...published(recipe),
    adapted,
    `The paper does not say: ${recipe.unsaid.join(', ')}. There this program’s defaults stand.`,
  ].flatMap((sentence) => wrap(sentence, WIDTH).map((line) => `// ${line}`));
}

function published(recipe: Recipe): string[] {
  const { name, dataSets } = recipe;
  const score = publishedScore(recipe, 'aurora');
  if (score === undefined) return [];
  const lora = publishedScore(recipe, 'lora');
  const full = publishedScore(recipe, 'full');
  const what =
    dataSets.length === 1
      ? METRIC_WORDS[dataSets[0].metric]
      : `average accuracy on ${dataSets.length} tests of ${name}`;
  return [
    `Published: ${what} ${score}, ${lora} with LoRA${full === undefined ? '' : `, ${full} with full fine-tuning`}.`,
    PAPER.baselines,
  ];
}

/** What stands in "training"; a value with its comment before it. */
export function recipeTraining({ settings, dataSets }: Recipe): string[] {
  const { epochs, batchSize, learningRate, headLearningRate, schedule } = settings;
  const { warmupRatio, warmupSteps, weightDecay } = settings;
  const metric = dataSets[0]?.metric ?? 'accuracy';
  const unsaid = '// Not the paper’s: it gives none.';
  const entries: [key: string, value: number | string | undefined, otherwise?: number][] = [
    ['epochs', epochs, 3],
    ['batchSize', batchSize, 32],
    ['learningRate', learningRate, 2e-3],
    ['headLearningRate', headLearningRate],
    ['schedule', schedule],
    ['warmupRatio', warmupRatio],
    ['warmupSteps', warmupSteps],
    ['weightDecay', weightDecay],
    ...(metric === 'pearson' ? [] : [['metric', metric] as [string, string]]),
  ];
  const lines = entries.flatMap(([key, value, otherwise]) => {
    if (value === undefined && otherwise === undefined) return [];
    return [...(value === undefined ? [unsaid] : []), `"${key}": ${json(value ?? otherwise!)},`];
  });
  const regression =
    metric === 'pearson'
      ? [
          '// The paper predicts a number and measures Pearson correlation; here the best state is that of accuracy.',
        ]
      : [];
  return [...lines, ...regression, unsaid, '"seed": 42'];
}

const json = (value: number | string): string =>
  typeof value === 'number' ? settingText(value) : JSON.stringify(value);
