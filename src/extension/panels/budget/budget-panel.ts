import { basename } from 'node:path';
import { t } from '../../../base/l10n';
import {
  type BudgetFromPage,
  type BudgetOpen,
  parseBudgetMessage,
  parseBudgetOpen,
} from '../../../protocol/panels/budget';
import { experimentName } from '../../../runs/layout';
import type { Contributes } from '../../manifest/declared';
import type { Services } from '../../services';
import type { PanelKind } from '../panel';

const NAME = 'budget';

export const contributes: Contributes = { panel: NAME };

/**
 * The budget calculator, for an experiment, a model or the paper's shapes. It only reads, so it also works in untrusted
 * workspaces.
 */
export const budgetPanel = (services: () => Services): PanelKind<BudgetOpen, BudgetFromPage> => ({
  name: NAME,
  key: ({ file, model }) => file ?? model ?? '',
  title: ({ file, model }) => {
    const name = file === undefined ? model && basename(model) : experimentName(file);
    return name === undefined ? t('Budget Calculator') : t('Budget: {0}', name);
  },
  parseOpen: parseBudgetOpen,
  parse: parseBudgetMessage,
  start: async (open, page) => (await import('./start-budget')).startBudget(services(), open, page),
});
