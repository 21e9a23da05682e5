import * as vscode from 'vscode';
import { CONTEXT } from '../ids';
import { markStep } from '../walkthrough/walkthrough';
import type { Services } from '../services';
import { activationsPanel } from './activations/activations-panel';
import { budgetPanel } from './budget/budget-panel';
import { errorsPanel } from './errors/errors-panel';
import { PanelHome } from './panel';
import type { Panels } from './panels';
import { playgroundPanel } from './playground/playground-panel';
import { claimPanel } from './claim/claim-panel';
import { dataRows } from './rows/data-rows';
import { runPanel } from './run/run-panel';
import { runsPanel } from './runs/runs-table-panel';
import { studyPanel } from './study/study-panel';
import { sweepPanel } from './sweep/sweep-panel';
import { tokensPanel } from './tokens/tokens-panel';

/** The dashboards; registered immediately, so that a reloaded window restores them. */
export function createPanels(services: () => Services): Panels {
  const { context, log, store } = services();
  const runs = new PanelHome(runPanel(services), context.extensionUri, log);
  const tables = new PanelHome(runsPanel(services), context.extensionUri, log);
  const sweeps = new PanelHome(sweepPanel(services), context.extensionUri, log);
  const claims = new PanelHome(claimPanel(services), context.extensionUri, log);
  const budgets = new PanelHome(budgetPanel(services), context.extensionUri, log, () =>
    markStep(context, CONTEXT.budgetSeen),
  );
  const activations = new PanelHome(activationsPanel(services), context.extensionUri, log, () =>
    markStep(context, CONTEXT.activationsSeen),
  );
  const errors = new PanelHome(errorsPanel(services), context.extensionUri, log);
  const playgrounds = new PanelHome(playgroundPanel(services), context.extensionUri, log);
  const tokens = new PanelHome(tokensPanel(services), context.extensionUri, log);
  const studies = new PanelHome(studyPanel(services), context.extensionUri, log);
  const rows = dataRows();
  const homes = [runs, tables, sweeps, claims, budgets, activations, errors, playgrounds, tokens, studies];
  const renamed = store.onDidChange(() => homes.forEach((home) => home.retitle()));
  return {
    openRun: (folders, preserveFocus) => runs.open({ runs: [...folders] }, preserveFocus),
    openSweep: (sweep, preserveFocus) => sweeps.open({ sweep }, preserveFocus),
    openClaim: (claim, preserveFocus) => claims.open({ claim }, preserveFocus),
    isInSight: (folder) =>
      runs.inSight().some((open) => open.runs.includes(folder)) ||
      sweeps.inSight().some((open) => open.sweep === folder) ||
      claims.inSight().some((open) => open.claim === folder),
    openBudget: (file) => budgets.open(file === undefined ? {} : { file }),
    openModelBudget: (model) => budgets.open({ model }),
    openActivations: (run) => activations.open({ run }),
    openErrors: (run, step, on) => errors.open({ run, step, on }),
    openPlayground: (open) => playgrounds.open(open),
    openTokens: (open) => tokens.open(open),
    openStudy: (open) => studies.open(open),
    openRuns: (open) => tables.open(open),
    dispose: () => vscode.Disposable.from(...homes, rows, renamed).dispose(),
  };
}
