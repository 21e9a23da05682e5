import type * as vscode from 'vscode';
import { registerGuarded } from '../ask/guard';
import { COMMAND } from '../ids';
import type { Contributes } from '../manifest/declared';
import type { Services } from '../services';

export const contributes: Contributes = {
  commands: {
    compareMethods: {
      title: 'Compare Methods at Equal Budget',
      palette: 'aurora.hasExperiments',
      menus: [
        { at: 'row', can: 'canEdit', group: '1_run@6' },
        { at: 'explorer', of: 'experiment', group: 'aurora@4' },
      ],
    },
  },
};

/** The command that makes a comparison of methods from an experiment. */
export const registerCompare = (services: Services): vscode.Disposable =>
  registerGuarded(services.log, COMMAND.compareMethods, async (argument) =>
    (await import('./compare-methods')).compareMethods(services, argument),
  );
