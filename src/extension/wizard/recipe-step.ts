import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import type { Recipe } from '../../experiment/paper';
import { modelsFor, settingsOf, sizeOf, sizesOf } from '../../recipes/data/data-set-registry';
import { recipesOf } from '../../recipes/paper-report';
import type { Step } from '../ask/run-steps';
import { pick } from '../ask/steps';
import { drawsPictures, tablesAhead } from './paths';
import { recipeText } from './recipe-text';
import type { WizardState } from './wizard-state';

interface RecipeItem extends vscode.QuickPickItem {
  recipe?: Recipe;
}

/** The settings for the data set that was chosen, of the model of the same width. */
const likely = ({ known, summary }: WizardState): Recipe | undefined => {
  const size = known && sizeOf(known.recipe, summary!.layers);
  return size && settingsOf(known.recipe, size);
};

/** The settings for the data set that was chosen, of each size. */
const recipesFor = ({ known }: WizardState): Recipe[] =>
  known ? sizesOf(known.recipe).map((size) => settingsOf(known.recipe, size)) : [];

const section = (label: string | undefined, recipes: readonly Recipe[]): RecipeItem[] =>
  label === undefined || recipes.length === 0
    ? []
    : [
        { label, kind: vscode.QuickPickItemKind.Separator },
        ...recipes.map((recipe) => ({ ...recipeText(recipe), recipe })),
      ];

/** Defaults, or the paper's settings for one of its data sets. The settings for the chosen data set come first. */
export const recipeStep: Step<WizardState> = {
  // The paper gives no settings for its pictures.
  applies: (state) => !drawsPictures(state),
  ahead: tablesAhead,
  async run(state, place) {
    const own = recipesFor(state);
    const items: RecipeItem[] = [
      {
        label: t('Defaults'),
        description: t('3 epochs · batch 32 · learning rate 2e-3'),
        detail: t('a starting point for any model; everything can be changed in the file'),
      },
      ...section(state.known?.recipe.name, own),
      ...modelsFor(state.task!).flatMap(({ id, name }) =>
        section(
          name,
          recipesOf(id).filter((recipe) => !own.includes(recipe)),
        ),
      ),
    ];
    const picked = await pick<RecipeItem>(place, {
      items,
      placeholder: t('Select settings. The paper’s settings are used with your model and data.'),
      active: items.find((i) => i.recipe === (state.recipe ?? likely(state))),
    });
    if (typeof picked === 'string') return picked;
    const [{ recipe }] = picked;
    if (recipe !== state.recipe) {
      delete state.adapter;
      delete state.maxLength;
      delete state.batchSize;
    }
    state.recipe = recipe;
    return 'next';
  },
};
