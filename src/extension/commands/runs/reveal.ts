import * as vscode from 'vscode';
import { t } from '../../../base/l10n';
import { COMMAND } from '../../ids';
import type { Services } from '../../services';
import { isTreeNode } from '../../runs/nodes';
import { registerGuarded } from '../../ask/guard';
import { runFrom } from '../../ask/pick';
import { placeOf } from './place';
import { revealFolder } from './reveal-folder';
import type { Contributes } from '../../manifest/declared';

export const contributes: Contributes = {
  commands: {
    revealRun: {
      title: 'Reveal Run Folder',
      palette: 'aurora.hasRuns',
      menus: [{ at: 'run', can: 'canReveal', group: '2_open@8' }],
    },
  },
};

/**
 * Reveals the folder of the run, checkpoint, adapter or export that it was called on, wherever files are browsed here.
 */
export function registerReveal(services: Services): vscode.Disposable[] {
  return [
    registerGuarded(services.log, COMMAND.revealRun, async (argument) => {
      const run = await runFrom(services, argument, {
        title: t('Select a run to reveal its folder'),
      });
      if (!run) return;
      await revealFolder((isTreeNode(argument) && placeOf(argument)) || run.folder, {
        label: t('Open Settings'),
        show: () => vscode.commands.executeCommand(COMMAND.openSettings, run.folder),
      });
    }),
  ];
}
