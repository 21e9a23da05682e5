import { PAPER } from '../../recipes/paper-data';
import { publishedScores } from '../../recipes/paper-report';
import { rateNumber } from '../../base/number-text';
import { t } from '../../base/l10n';
import type { Recipe } from '../../experiment/paper';
import { recipeModel } from '../../recipes/draft-recipe';

/** A recipe as a quick pick item of *New Experiment*: its data set, its settings, and the open choices. */
export function recipeText(recipe: Recipe): { label: string; description: string; detail: string } {
  const { settings, unsaid, dataSets } = recipe;
  const { epochs, batchSize, learningRate } = settings;
  const parts = [
    t('rank {0}', PAPER.rank),
    epochs !== undefined && t('{0} epochs', epochs),
    batchSize !== undefined && t('batch {0}', batchSize),
    learningRate !== undefined && t('learning rate {0}', rateNumber(learningRate)),
  ];
  const score = publishedScores(recipe).aurora;
  const tests = dataSets.length > 1 && t('tested on {0}', dataSets.map((d) => d.name).join(', '));
  const published =
    score !== undefined &&
    (dataSets.length > 1 ? t('published average {0}', score) : t('published {0}', score));
  return {
    label: t('{0} with {1}', recipe.name, recipeModel(recipe).name),
    description: parts.filter((p) => p !== false).join(' · '),
    detail: [PAPER.source, tests, published, t('not specified: {0}', unsaid.join(', '))]
      .filter((p) => p !== false)
      .join(' · '),
  };
}
