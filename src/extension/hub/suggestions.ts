import type { QuickPickItem } from 'vscode';
import { count } from '../../base/number-text';
import { t } from '../../base/l10n';
import type { HubKind } from '../../experiment/hub-reference';
import { HUB_SETS, type HubSet } from '../../recipes/data/hub-sets';
import { DATA_RECIPES } from '../../recipes/data/registry';
import { HUB_MODELS, type HubModelName } from '../../recipes/model-shapes';

/** A row that names a repository; another row if it has no name. */
export interface NamedItem extends QuickPickItem {
  /** For `aurora get`. */
  name?: string;
}

/** The paper's models or data sets, whose rows need no request. */
export const suggestions = (kind: HubKind): NamedItem[] =>
  kind === 'model' ? HUB_MODELS.map((model) => modelItem(model)) : HUB_SETS.map((set) => setItem(set));

function modelItem({ model, repo }: HubModelName): NamedItem {
  const parts = [model.name, t('{0} parameters', count(model.parameters))];
  return { label: repo, description: parts.join(' · '), name: repo };
}

function setItem({ id, repo, config, copy }: HubSet): NamedItem {
  const recipe = DATA_RECIPES.find((each) => each.id === id);
  const parts = [
    ...(config === 'default' ? [repo] : [repo, config]),
    ...(recipe ? [] : [t('a test of commonsense reasoning')]),
  ];
  return {
    label: id,
    description: parts.join(' · '),
    detail: copy && t('A copy: {0}', copy),
    name: id,
  };
}
