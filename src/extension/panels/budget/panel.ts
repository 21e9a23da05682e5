import * as vscode from 'vscode';
import { experimentName } from '../../../runs/layout';
import {
  parseBudgetMessage,
  parseBudgetOpen,
  type BudgetFromPage,
  type BudgetOpen,
} from '../../../protocol/panels/budget';
import type { Services } from '../../services';
import type { PanelKind } from '../panel';

/**
 * The budget calculator, for an experiment or for the paper's shapes. It only reads, so it also works in untrusted
 * workspaces.
 */
export const budgetPanel = (services: () => Services): PanelKind<BudgetOpen, BudgetFromPage> => ({
  name: 'budget',
  key: ({ file }) => file ?? '',
  title: ({ file }) =>
    file === undefined
      ? vscode.l10n.t('Budget Calculator')
      : vscode.l10n.t('Budget: {0}', experimentName(file)),
  parseOpen: parseBudgetOpen,
  parse: parseBudgetMessage,
  start: async (open, page) => (await import('./start')).startBudget(services(), open, page),
});
