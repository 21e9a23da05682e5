import * as vscode from 'vscode';
import { registerGuarded } from '../ask/guard';
import { COMMAND } from '../ids';
import type { Services } from '../services';
import type { Contributes } from '../manifest/declared';

export const contributes: Contributes = {
  commands: {
    newExperiment: {
      title: 'New Experiment',
      icon: 'add',
      menus: [{ at: 'title', view: 'experiments', group: 'navigation@1' }],
    },
    newExperimentFromModel: {
      title: 'New Experiment from Model',
      icon: 'add',
      palette: false,
      menus: [
        { at: 'model', group: 'inline@1' },
        { at: 'model', group: '1_run@1' },
        { at: 'explorer', of: 'model', group: 'aurora@1' },
      ],
    },
  },
};

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
