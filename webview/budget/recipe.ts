import { html, type TemplateResult } from 'lit';
import type { BudgetFields } from '../../src/protocol/panels/budget';
import type { PaperReport, Recipe } from '../../src/experiment/paper';
import { t } from '../../src/base/l10n';
import { isSubject, METHOD_ORDER } from '../../src/experiment/methods';

const NONE = 'none';

/** The paper's data sets for this model: choosing one fills in its settings from the paper, and marks its rows. */
export function recipeControl(
  paper: PaperReport,
  fields: BudgetFields,
  chosen: string | undefined,
  choose: (recipe: Recipe | undefined, over: Partial<BudgetFields>) => void,
): TemplateResult {
  const value = paper.recipes.find((r) => r.id === chosen)?.id ?? NONE;
  const change = (e: Event) => {
    const id = (e.currentTarget as HTMLInputElement).value;
    if (id === value) return;
    const recipe = paper.recipes.find((r) => r.id === id);
    choose(recipe, recipe ? recipeFields(paper, recipe, fields) : {});
  };
  return html`<div class="field">
    <label id="recipe-label" for="recipe">${t('Settings from the paper for')}</label>
    <vscode-dropdown id="recipe" aria-labelledby="recipe-label" data-value=${value} @change=${change}>
      <vscode-option value=${NONE}>${t('No data set')}</vscode-option>
      ${paper.recipes.map((r) => html`<vscode-option value=${r.id}>${r.name}</vscode-option>`)}
    </vscode-dropdown>
  </div>`;
}

/** Rank, alpha and spline; and the tokens per step if the paper gives both batch and length. */
function recipeFields(
  { adapter }: PaperReport,
  { settings: { batchSize, maxLength } }: Recipe,
  fields: BudgetFields,
): Partial<BudgetFields> {
  const { rank, alpha, gridSize, splineOrder } = adapter;
  return {
    method: METHOD_ORDER.find((method) => isSubject({ method }))!,
    rank: String(rank),
    alpha: String(alpha),
    gridSize: String(gridSize),
    splineOrder: String(splineOrder),
    tokens: batchSize && maxLength ? String(batchSize * maxLength) : fields.tokens,
  };
}
