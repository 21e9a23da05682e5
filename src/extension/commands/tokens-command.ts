import type * as vscode from 'vscode';
import { registerGuarded } from '../ask/guard';
import { COMMAND } from '../ids';
import type { Contributes } from '../manifest/declared';
import type { Services } from '../services';

export const contributes: Contributes = {
  commands: {
    showTokens: {
      title: 'Show Tokens',
      icon: 'symbol-string',
      palette: 'aurora.hasExperiments',
      menus: [
        { at: 'row', can: 'canRun', group: '2_open@5' },
        { at: 'explorer', of: 'experiment', group: 'aurora@6' },
      ],
    },
  },
};

/** The command that shows the rows of an experiment's texts as training reads them. */
export const registerTokens = (services: Services): vscode.Disposable =>
  registerGuarded(services.log, COMMAND.showTokens, async (argument) =>
    (await import('./show-tokens')).showTokens(services, argument),
  );
