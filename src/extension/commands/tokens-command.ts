import type * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { registerGuarded } from '../ask/guard';
import { experimentFrom } from '../ask/pick';
import { explaining } from '../ask/training-problems';
import { COMMAND } from '../ids';
import type { Contributes } from '../manifest/declared';
import { trustedFor } from '../notices/open-report';
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
  registerGuarded(services.log, COMMAND.showTokens, async (argument) => {
    const file = await experimentFrom(
      services,
      argument,
      t('Select an experiment to show the tokens of its rows'),
    );
    if (file === undefined) return;
    const message = t(
      'Tokens are made by the trainer program, which requires a trusted workspace. Budgets, CodeLens and diagnostics work without trust.',
    );
    if (!(await trustedFor(message))) return;
    const { savedExperiment } = await import('../hub/downloading');
    await explaining(async () => {
      if (await savedExperiment(services, file)) services.panels.openTokens({ file });
    });
  });
