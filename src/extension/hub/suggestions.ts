import type { QuickPickItem } from 'vscode';
import { count } from '../../base/number-text';
import type { HubKind } from '../../experiment/hub-reference';
import { HUB_SETS, type HubSet } from '../../recipes/data/hub-sets';
import { DATA_RECIPES } from '../../recipes/data/registry';
import { HUB_MODELS, type HubModelName } from '../../recipes/hub-models';
import type { Translate } from '../translate';

/** A row that names a repository; another row if it has no name. */
export interface NamedItem extends QuickPickItem {
  /** For `aurora get`. */
  name?: string;
}

/** The paper's models or data sets, whose rows need no request. */
export const suggestions = (kind: HubKind, t: Translate): NamedItem[] =>
  kind === 'model' ? HUB_MODELS.map((model) => modelItem(model, t)) : HUB_SETS.map((set) => setItem(set, t));

function modelItem({ model, repo, trainable }: HubModelName, t: Translate): NamedItem {
  const of = t('{0} parameters, one of the AuroRA paper’s models', count(model.parameters));
  return {
    label: repo,
    description: trainable ? of : `${of} · ${t('its budget alone can be calculated here')}`,
    name: repo,
  };
}

function setItem({ id, repo, config, source }: HubSet, t: Translate): NamedItem {
  const recipe = DATA_RECIPES.find((each) => each.id === id);
  return {
    label: id,
    description: config === 'default' ? repo : `${repo} · ${config}`,
    detail: recipe
      ? t('with the AuroRA paper’s settings · {0}', source)
      : t('a test of commonsense reasoning · {0}', source),
    name: id,
  };
}
