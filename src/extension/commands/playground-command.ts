import type * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { registerGuarded } from '../ask/guard';
import { COMMAND } from '../ids';
import type { Contributes } from '../manifest/declared';
import { trustedFor } from '../notices/open-report';
import type { Services } from '../services';

export const contributes: Contributes = {
  commands: {
    openPlayground: {
      title: 'Open Playground',
      icon: 'comment-discussion',
      palette: 'workbenchState != empty',
      menus: [
        { at: 'run', can: 'canPlay', group: '2_open@4' },
        { at: 'model', group: 'inline@2' },
        { at: 'model', group: '1_run@2' },
        { at: 'explorer', of: 'onnx', group: 'aurora@4' },
      ],
    },
  },
};

/** The command that opens a run, a checkpoint, an adapter or a model in the playground. */
export const registerPlayground = (services: Services): vscode.Disposable =>
  registerGuarded(services.log, COMMAND.openPlayground, async (argument) => {
    const message = t(
      'The playground runs the model, which requires a trusted workspace. Budgets, CodeLens and diagnostics work without trust.',
    );
    if (!(await trustedFor(message))) return;
    const { openFrom } = await import('./playground-choice');
    const open = await openFrom(services, argument);
    if (open) services.panels.openPlayground(open);
  });
