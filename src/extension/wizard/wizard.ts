import * as vscode from 'vscode';
import { registerGuarded } from '../ask/guard';
import { COMMAND } from '../ids';
import type { Services } from '../services';

/** Commands that create an experiment file by asking for model, data and method in turn. */
export function registerWizard(services: Services): vscode.Disposable {
  const start = async (model?: string) =>
    (await import('./new-experiment')).newExperiment(services, model === undefined ? {} : { model });
  return vscode.Disposable.from(
    registerGuarded(services.log, COMMAND.newExperiment, () => start()),
    registerGuarded(services.log, COMMAND.newExperimentFromModel, (uri) =>
      start(uri instanceof vscode.Uri ? uri.fsPath : undefined),
    ),
  );
}
