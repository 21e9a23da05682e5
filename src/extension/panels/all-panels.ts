import * as vscode from 'vscode';
import type { Services } from '../services';
import { activationsPanel } from './activations/panel';
import { budgetPanel } from './budget/panel';
import { PanelHome } from './panel';
import type { Panels } from './panels';
import { runPanel } from './run/panel';

/** The dashboards; registered at once, so that those of a reloaded window come back. */
export function createPanels(services: () => Services): Panels {
  const { context, log } = services();
  const runs = new PanelHome(runPanel(services), context.extensionUri, log);
  const budgets = new PanelHome(budgetPanel(services), context.extensionUri, log);
  const activations = new PanelHome(activationsPanel(services), context.extensionUri, log);
  return {
    openRun: (folders, preserveFocus) => runs.open({ runs: [...folders] }, preserveFocus),
    openBudget: (file) => budgets.open(file === undefined ? {} : { file }),
    openActivations: (run) => activations.open({ run }),
    dispose: () => vscode.Disposable.from(runs, budgets, activations).dispose(),
  };
}
