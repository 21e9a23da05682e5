import { own } from '../base/names';
import { AURORA_DEFAULTS } from '../adapters/methods/defaults';
import type { PaperMethod, PaperReport, Recipe } from '../experiment/paper';
import { PAPER } from './paper';
import { PAPER_RECIPES } from './recipes';
import { PUBLISHED } from './results';
import { VARIANTS } from './variants';

export const recipesOf = (model: string): Recipe[] => PAPER_RECIPES.filter((r) => r.model === model);

/** The paper's results for one of its models. */
export function paperReport(model: string): PaperReport {
  const results = own(PUBLISHED, model);
  const { rank, alpha, source, baselines, fairness } = PAPER;
  const { gridSize, splineOrder } = AURORA_DEFAULTS;
  return {
    source,
    adapter: { rank, alpha, gridSize, splineOrder },
    recipes: recipesOf(model),
    ...(results && { results }),
    variants: own(VARIANTS, model) ?? [],
    notes: results
      ? [...results.notes, `${baselines} ${fairness}`]
      : [
          'The paper adapts it to DreamBooth subjects (subject-driven generation); there are no scores to list here.',
        ],
  };
}

/** Each method's published score in percent: on the recipe's only data set, or averaged over several. */
export function publishedScores({ model, dataSets }: Recipe): Partial<Record<PaperMethod, string>> {
  const results = own(PUBLISHED, model);
  if (!results) return {};
  const only = dataSets.length === 1 && results.rows.find((r) => r.dataSet.id === dataSets[0].id);
  return Object.fromEntries(
    results.methods.map(({ method, average }, at) => [method, (only ? only.values[at] : average).toFixed(1)]),
  );
}
