import * as vscode from 'vscode';
import { modelsFor, sizeOf, settingsOf } from '../../recipes/data/registry';
import { recipesOf } from '../../recipes/report';
import type { Recipe } from '../../experiment/paper';
import { recipeText } from './recipe-text';
import { always, type Step } from '../ask/run-steps';
import { pick } from '../ask/steps';
import type { WizardState } from './state';

interface RecipeItem extends vscode.QuickPickItem {
  recipe?: Recipe;
}

/** The settings for the data set that was chosen, of the model of the same width. */
const likely = ({ known, summary }: WizardState): Recipe | undefined => {
  const size = known && sizeOf(known.recipe, summary!.layers);
  return size && settingsOf(known.recipe, size);
};

/** Defaults, or the paper's settings for one of its data sets. Model and data are known, and remain the user's own. */
export const recipeStep: Step<WizardState> = {
  ...always,
  async run(state, place) {
    const { t } = vscode.l10n;
    const items: RecipeItem[] = [
      {
        label: t('Defaults'),
        description: t('3 epochs · batch 32 · learning rate 2e-3'),
        detail: t('a starting point for any model; everything can be changed in the file'),
      },
      ...modelsFor(state.task!).flatMap(({ id, name }): RecipeItem[] => [
        { label: name, kind: vscode.QuickPickItemKind.Separator },
        ...recipesOf(id).map((recipe) => ({ ...recipeText(recipe, t), recipe })),
      ]),
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
